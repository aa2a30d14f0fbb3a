//! The messages on the socket. They are few and small, and can carry file descriptors.
//!
//! ```text
//!  client                               server
//!    HELLO [control, patterns] ───────►           what to search for
//!                              ◄─────── WELCOME   the patterns are compiled
//!                              ◄─────── REFUSED   or why they are not
//!    REGION [memory]           ───────►           a region, new or replaced
//!                              ◄─────── ERROR     why a chunk or the connection failed
//! ```
//!
//! The socket is of the type `SOCK_SEQPACKET`: it preserves message boundaries, so no length field has
//! to be trusted to find the next message. Only set-up and errors go this way. Chunks and matches go
//! through the control memory, which takes no system call while both sides are busy.
//!
//! Numbers have the byte order of the machine, since both processes run on it.

use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use bytemuck::{Pod, Zeroable};
use rustix::event::PollFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage,
};

use super::sys;
use dragnet::{Backend, Report};

/// The version of the protocol. Both sides must have the same one. Increase it whenever a message
/// or the [layout](super::layout) of shared memory changes.
pub(super) const VERSION: u32 = 3;

/// The first word of every message.
const MAGIC: u32 = u32::from_le_bytes(*b"drgn");

/// The longest message, in bytes: an error text of some lines. Longer texts are cut.
const MAX_FRAME_LEN: usize = 2048;

/// The longest body of a message, in bytes.
pub(super) const MAX_BODY_LEN: usize = MAX_FRAME_LEN - size_of::<FrameHeader>();

/// The maximum number of descriptors in a message.
const MAX_DESCRIPTORS: usize = 2;

/// The meaning of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum FrameKind {
    Hello = 1,
    Welcome = 2,
    Refused = 3,
    Region = 4,
    Error = 5,
    /// Any bytes, for measurements of the socket. No [`Sidecar`](super::Sidecar) and no
    /// [`Server`](super::Server) sends or accepts it.
    Probe = 6,
}

impl FrameKind {
    fn from_number(number: u32) -> Option<FrameKind> {
        use FrameKind::{Error, Hello, Probe, Refused, Region, Welcome};
        [Hello, Welcome, Refused, Region, Error, Probe]
            .into_iter()
            .find(|&kind| kind as u32 == number)
    }
}

/// The start of every message.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct FrameHeader {
    magic: u32,
    version: u32,
    kind: u32,
    /// The length of the body, in bytes.
    len: u32,
}

/// The body of HELLO, the first message of a client. The descriptors of the control memory and of the
/// encoded patterns come with it.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Hello {
    /// The number of patterns.
    pub(super) patterns: u32,
    /// A [`report_code`].
    pub(super) report: u32,
    /// A [`backend_code`].
    pub(super) backend: u32,
    pub(super) reserved: u32,
    /// The length of the encoded patterns, in bytes.
    pub(super) bytes: u64,
}

/// The body of WELCOME: the server is ready. A text follows: why the server fell back from the
/// native to the pure backend, or nothing if it did not.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Welcome {
    /// The [`backend_code`] of the backend that the server uses.
    pub(super) backend: u32,
    /// The number of patterns that it has compiled.
    pub(super) patterns: u32,
    /// The longest region that it maps, in bytes.
    pub(super) max_region_len: u64,
}

/// The body of REGION: memory for records, whose descriptor comes with it.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct RegionNotice {
    /// The index of the region that this memory becomes.
    pub(super) number: u32,
    /// Distinguishes this memory from earlier memory of the same region.
    pub(super) generation: u32,
    /// The length of the memory, in bytes.
    pub(super) len: u64,
}

/// The number that stands for a report in a message.
pub(super) fn report_code(report: Report) -> u32 {
    match report {
        Report::Patterns => 1,
        Report::Spans => 2,
    }
}

pub(super) fn report_from_code(code: u32) -> Option<Report> {
    [Report::Patterns, Report::Spans].into_iter().find(|&report| report_code(report) == code)
}

/// The number that stands for a backend in a message.
pub(super) fn backend_code(backend: Backend) -> u32 {
    match backend {
        Backend::Auto => 1,
        Backend::Pure => 2,
        Backend::Native => 3,
    }
}

pub(super) fn backend_from_code(code: u32) -> Option<Backend> {
    [Backend::Auto, Backend::Pure, Backend::Native]
        .into_iter()
        .find(|&backend| backend_code(backend) == code)
}

/// A message that was received.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) body: Vec<u8>,
    pub(super) descriptors: Vec<OwnedFd>,
}

/// Why no message was received.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the peer has closed the connection")]
    Closed,
    #[error("no message came in time")]
    TimedOut,
    #[error("the peer speaks version {0} of the protocol, this process version {VERSION}")]
    Version(u32),
    #[error("malformed message: {0}")]
    Malformed(&'static str),
    #[error("the socket failed: {0}")]
    Io(#[from] io::Error),
}

impl Frame {
    /// The body as a value and, if `has_text`, the text that follows it.
    pub(super) fn body<T: Pod>(&self, has_text: bool) -> Result<(T, String), FrameError> {
        let (value, rest) = self
            .body
            .split_at_checked(size_of::<T>())
            .filter(|(_, rest)| has_text || rest.is_empty())
            .ok_or(FrameError::Malformed("the body has the wrong length for its kind"))?;
        Ok((bytemuck::pod_read_unaligned(value), printable(rest)))
    }

    /// The body as a text.
    pub(super) fn text(&self) -> String {
        printable(&self.body)
    }
}

/// A text from the peer without control characters, so that it can't change what a terminal shows
/// when it is printed as part of an error.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

/// Sends a message whose body is `value` and a text, which is cut if it is too long.
///
/// Does not block. A full socket is an error: it has room for many messages, so the peer has
/// stopped reading.
///
/// # Panics
///
/// If `value` is longer than [`MAX_BODY_LEN`].
pub(super) fn send(
    socket: impl AsFd,
    kind: FrameKind,
    value: &[u8],
    text: &str,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let room = MAX_BODY_LEN.checked_sub(value.len()).expect("the body fits in a frame");
    let mut end = text.len().min(room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text.as_bytes()[..end];
    let len = (value.len() + text.len()) as u32;
    let header = FrameHeader { magic: MAGIC, version: VERSION, kind: kind as u32, len };
    let bytes = [bytemuck::bytes_of(&header), value, text].concat();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sys::send(socket.as_fd(), &bytes, &mut ancillary)
}

/// Receives a message. Waits for it until the deadline, or forever if there is none.
pub(super) fn receive(socket: impl AsFd, deadline: Option<Instant>) -> Result<Frame, FrameError> {
    let socket = socket.as_fd();
    let mut bytes = [0; MAX_FRAME_LEN];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut was_reset = false;
    loop {
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = match sys::receive(socket, &mut bytes, &mut ancillary) {
            Ok(received) => received,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                if left.is_some_and(|left| left.is_zero()) {
                    return Err(FrameError::TimedOut);
                }
                sys::poll(socket, PollFlags::IN, left)?;
                continue;
            }
            // A peer that exits with unread messages resets the connection. Linux reports that once;
            // the messages that the peer sent before can be received afterwards.
            Err(error) if error.kind() == ErrorKind::ConnectionReset && !was_reset => {
                was_reset = true;
                continue;
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                return Err(FrameError::Closed);
            }
            Err(error) => return Err(error.into()),
        };
        let mut descriptors = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(list) = message {
                descriptors.extend(list);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(FrameError::Malformed("it has too many descriptors"));
        }
        if received.flags.contains(ReturnFlags::TRUNC) {
            return Err(FrameError::Malformed("it is too long"));
        }
        if received.bytes == 0 {
            return Err(FrameError::Closed);
        }
        return parse(&bytes[..received.bytes], descriptors);
    }
}

/// Parses a message that was received with these descriptors.
pub(super) fn parse(bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<Frame, FrameError> {
    let (header, body) = bytes
        .split_at_checked(size_of::<FrameHeader>())
        .ok_or(FrameError::Malformed("it is shorter than a header"))?;
    let header: FrameHeader = bytemuck::pod_read_unaligned(header);
    if header.magic != MAGIC {
        return Err(FrameError::Malformed("it does not start with the magic number"));
    }
    if header.version != VERSION {
        return Err(FrameError::Version(header.version));
    }
    let kind =
        FrameKind::from_number(header.kind).ok_or(FrameError::Malformed("its kind is unknown"))?;
    if header.len as usize != body.len() {
        return Err(FrameError::Malformed("its header gives another length"));
    }
    Ok(Frame { kind, body: body.to_vec(), descriptors })
}
