//! Payment gateways and mail.
