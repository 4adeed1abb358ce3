//! The socket of one connection, as the HTTP library sees it: it reports what comes to the connection's [`Activity`],
//! and puts answers of the HTTP library itself into the words of this API.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::head_scan::HeadScan;
use super::library_answers::AnswerInOurWords;
use super::places::Place;

/// A socket that has the place of its connection: the place is free when the socket is closed, also after the
/// connection was handed over to another protocol.
#[derive(Debug)]
pub(super) struct Socket<S> {
    stream: S,
    place: Place,
    words: AnswerInOurWords,
    head: HeadScan,
    /// What was not written yet of an answer in our words.
    unwritten: Vec<u8>,
    lingering: Lingering,
}

/// Whether the socket reads on after its last answer. If a socket is closed while bytes of its client are unread, the
/// client's system may throw the answer away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lingering {
    No,
    /// The answer to bytes that were no request is the last one on this connection.
    WhenShutDown,
    /// The writing side is closed. Holds how many bytes may still be read and thrown away.
    UpTo(usize),
}

/// The most that is read and thrown away after the last answer. The time limit of a head also ends this.
const MOST_THROWN_AWAY: usize = 4 * 1024 * 1024;

impl<S> Socket<S> {
    pub(super) fn new(stream: S, place: Place, words: AnswerInOurWords) -> Self {
        Self {
            stream,
            place,
            words,
            head: HeadScan::default(),
            unwritten: Vec::new(),
            lingering: Lingering::No,
        }
    }

    fn activity(&self) -> &Activity {
        &self.place.activity
    }

    /// Reports what has come. Looks at it if it belongs to a head of HTTP/1.1.
    fn look_at(&mut self, came: &[u8]) {
        if self.place.activity.bytes_came(came) {
            self.head = HeadScan::default();
        }
        if self.activity().is_idle() && !self.activity().is_http2() {
            self.head.read(came);
            if self.head.says_two_lengths() {
                self.activity().says_two_lengths();
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Socket<S> {
    fn poll_unwritten(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.unwritten);
            let written = ready!(written)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unwritten.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> Socket<S> {
    /// Reads and throws away what the client still sends.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4096];
        while let Lingering::UpTo(left @ 1..) = self.lingering {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            let count = buffer.filled().len();
            self.lingering = match read {
                Ok(()) if count > 0 => Lingering::UpTo(left.saturating_sub(count)),
                _ => Lingering::No,
            };
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let came = &buffer.filled()[before..];
        if !came.is_empty() {
            self.look_at(came);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_unwritten(cx))?;
        if self.activity().is_idle()
            && let Some(answer) = self.words.instead_of(bytes)
        {
            self.unwritten = answer;
            self.lingering = Lingering::WhenShutDown;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_unwritten(cx))?;
        if let [only] = slices {
            return self.poll_write(cx, only);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unwritten(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unwritten(cx))?;
        if !matches!(self.lingering, Lingering::UpTo(_)) {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            if self.lingering == Lingering::WhenShutDown {
                self.lingering = Lingering::UpTo(MOST_THROWN_AWAY);
            }
        }
        self.poll_linger(cx).map(Ok)
    }
}
