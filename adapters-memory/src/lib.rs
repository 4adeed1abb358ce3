//! Every port of the box office in process, and wrappers that inject faults.
