//! Probes that check whether a service of a kind answers at an address. Each sends the fewest bytes of the protocol
//! that suffice.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

/// Succeeds if PostgreSQL accepts a client. It refuses clients while it starts or recovers.
pub(crate) fn postgres(address: SocketAddr) -> io::Result<()> {
    let mut stream = connect(address)?;
    let body = b"\x00\x03\x00\x00user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(body)?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    match kind[0] {
        b'R' => Ok(()),
        _ => Err(io::Error::other("it does not let clients in")),
    }
}

/// Succeeds if Redis answers a ping. It refuses while it loads its data.
pub(crate) fn redis(address: SocketAddr) -> io::Result<()> {
    let mut stream = connect(address)?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    match &answer {
        b"+PONG" => Ok(()),
        _ => Err(io::Error::other("it does not answer a ping")),
    }
}

/// Succeeds if a broker answers which versions of the Kafka API it supports.
pub(crate) fn kafka(address: SocketAddr) -> io::Result<()> {
    const CORRELATION: [u8; 4] = *b"test";
    let mut stream = connect(address)?;
    // The request has a length, key 18 (`ApiVersions`), version 0, a correlation id, and no client id.
    stream.write_all(b"\0\0\0\x0a\0\x12\0\0")?;
    stream.write_all(&CORRELATION)?;
    stream.write_all(b"\xff\xff")?;
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    if answer[4..8] == CORRELATION && answer[8..] == [0, 0] {
        Ok(())
    } else {
        Err(io::Error::other("it does not speak the Kafka API"))
    }
}

/// Succeeds if a mail server sends its greeting.
pub(crate) fn smtp(address: SocketAddr) -> io::Result<()> {
    let mut stream = connect(address)?;
    let mut answer = [0; 3];
    stream.read_exact(&mut answer)?;
    match &answer {
        b"220" => Ok(()),
        _ => Err(io::Error::other("it does not greet as a mail server")),
    }
}

/// Succeeds if a program accepts connections at the address.
pub(crate) fn anybody(address: SocketAddr) -> io::Result<()> {
    connect(address).map(drop)
}

/// Succeeds if an issuer of OpenID Connect returns its configuration.
pub(crate) fn openid(address: SocketAddr) -> io::Result<()> {
    let mut stream = connect(address)?;
    write!(
        stream,
        "GET /.well-known/openid-configuration HTTP/1.0\r\nHost: {address}\r\n\r\n"
    )?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    match answer.strip_prefix(b"HTTP/1.1 ") {
        Some(b"200") => Ok(()),
        _ => Err(io::Error::other("it does not say what it offers")),
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
