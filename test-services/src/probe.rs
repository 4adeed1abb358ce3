//! Asks an address whether a service of a kind answers there, in as few bytes of its protocol as will do.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

/// Succeeds when PostgreSQL lets a client begin; while it starts or recovers it refuses.
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

/// Succeeds when Redis answers a ping; while it loads its data it refuses.
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

/// Succeeds when a broker says which versions of the Kafka API it speaks.
pub(crate) fn kafka(address: SocketAddr) -> io::Result<()> {
    const CORRELATION: [u8; 4] = *b"test";
    let mut stream = connect(address)?;
    // Length, key 18 (ApiVersions), version 0, correlation id, no client id.
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

/// Succeeds when a mail server greets.
pub(crate) fn smtp(address: SocketAddr) -> io::Result<()> {
    let mut stream = connect(address)?;
    let mut answer = [0; 3];
    stream.read_exact(&mut answer)?;
    match &answer {
        b"220" => Ok(()),
        _ => Err(io::Error::other("it does not greet as a mail server")),
    }
}

/// Succeeds when somebody listens.
pub(crate) fn anybody(address: SocketAddr) -> io::Result<()> {
    connect(address).map(drop)
}

/// Succeeds when an issuer of OpenID Connect says what it offers.
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
