//! The messages on the socket: few, small, each with its descriptors.
//!
//! ```text
//! client                          server
//!   HELLO  [control, patterns] ->         what to search for
//!          <- WELCOME | REFUSED           ready, or why not
//!   REGION [records]           ->         memory for the records of a part
//!          <- FAULT                       why an answer is none, or the end of the connection
//! ```
//!
//! The socket keeps messages apart (`SOCK_SEQPACKET`), so a length needs no trust. Parts and answers
//! do not go this way: see `control`.

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

/// What both sides must agree on. Counts up with each change of a message or a layout.
pub(super) const VERSION: u32 = 2;

const MAGIC: u32 = u32::from_le_bytes(*b"drgn");

/// The longest message, in bytes.
const LONGEST: usize = 2048;

/// How many descriptors a message has at most.
const MOST_DESCRIPTORS: usize = 2;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    Hello = 1,
    Welcome = 2,
    Refused = 3,
    Region = 4,
    Fault = 5,
}

impl Kind {
    fn from_number(number: u32) -> Option<Kind> {
        [Kind::Hello, Kind::Welcome, Kind::Refused, Kind::Region, Kind::Fault]
            .into_iter()
            .find(|&kind| kind as u32 == number)
    }
}

/// What each message begins with.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Head {
    magic: u32,
    version: u32,
    kind: u32,
    /// How many bytes follow.
    len: u32,
}

/// The first message of a client. With it come the descriptors of the control memory, and of the
/// patterns.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Hello {
    /// The number of patterns.
    pub(super) patterns: u32,
    /// [`report_number`](super::control::report_number)
    pub(super) report: u32,
    /// [`backend_number`](super::control::backend_number)
    pub(super) backend: u32,
    pub(super) reserved: u32,
    /// How many bytes the patterns have.
    pub(super) bytes: u64,
}

/// The server's answer when it is ready. A text follows: why the native engine was not taken.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Welcome {
    pub(super) backend: u32,
    /// The number of patterns that it has compiled.
    pub(super) patterns: u32,
    /// The longest region that it maps, in bytes.
    pub(super) region: u64,
}

/// Tells of memory for records, whose descriptor comes with it.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Region {
    /// Which of the regions this replaces.
    pub(super) number: u32,
    /// Counts up when a region is replaced.
    pub(super) generation: u32,
    /// How long it is, in bytes.
    pub(super) len: u64,
}

/// A message as it was received.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) body: Vec<u8>,
    pub(super) descriptors: Vec<OwnedFd>,
}

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The other side is gone.
    #[error("the other side has closed the connection")]
    Closed,
    /// None came in time.
    #[error("no message came in time")]
    TimedOut,
    /// It speaks another version.
    #[error("the other side speaks version {0} of the protocol, this one {VERSION}")]
    Version(u32),
    /// What came is not a message.
    #[error("what came is not a message: {0}")]
    Malformed(&'static str),
    /// The system failed.
    #[error("the socket failed: {0}")]
    Io(#[from] io::Error),
}

impl Frame {
    /// The body as the values of one type and, if there may be one, a text behind it.
    pub(super) fn body<T: Pod>(&self, text: bool) -> Result<(T, String), FrameError> {
        let (value, rest) = self
            .body
            .split_at_checked(size_of::<T>())
            .filter(|(_, rest)| text || rest.is_empty())
            .ok_or(FrameError::Malformed("its length is not that of its kind"))?;
        Ok((bytemuck::pod_read_unaligned(value), readable(rest)))
    }

    pub(super) fn text(&self) -> String {
        readable(&self.body)
    }
}

/// A text of the other side, which may hold anything, for an error of ours.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

/// Sends a message; does not wait for room, since there is some unless the other side does not read.
pub(super) fn send(
    socket: impl AsFd,
    kind: Kind,
    value: &[u8],
    text: &str,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let room = LONGEST - size_of::<Head>() - value.len();
    let mut end = text.len().min(room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text.as_bytes()[..end];
    let len = (value.len() + text.len()) as u32;
    let head = Head { magic: MAGIC, version: VERSION, kind: kind as u32, len };
    let bytes = [bytemuck::bytes_of(&head), value, text].concat();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sys::send(socket.as_fd(), &bytes, &mut control)
}

/// Receives a message, waiting for one until a deadline, or for ever if there is none.
pub(super) fn receive(socket: impl AsFd, deadline: Option<Instant>) -> Result<Frame, FrameError> {
    let socket = socket.as_fd();
    let mut bytes = [0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut was_reset = false;
    loop {
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = match sys::receive(socket, &mut bytes, &mut control) {
            Ok(received) => received,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                if left.is_some_and(|left| left.is_zero()) {
                    return Err(FrameError::TimedOut);
                }
                sys::poll(socket, PollFlags::IN, left)?;
                continue;
            }
            // A peer that ends before it has read all that was sent to it resets the connection.
            // That is told once, and what the peer has sent comes after it.
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
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(list) = message {
                descriptors.extend(list);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(FrameError::Malformed("too many descriptors"));
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

pub(super) fn parse(bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<Frame, FrameError> {
    let (head, body) = bytes
        .split_at_checked(size_of::<Head>())
        .ok_or(FrameError::Malformed("it is shorter than its head"))?;
    let head: Head = bytemuck::pod_read_unaligned(head);
    if head.magic != MAGIC {
        return Err(FrameError::Malformed("it begins with something else"));
    }
    if head.version != VERSION {
        return Err(FrameError::Version(head.version));
    }
    let kind = Kind::from_number(head.kind).ok_or(FrameError::Malformed("of no known kind"))?;
    if head.len as usize != body.len() {
        return Err(FrameError::Malformed("its length is not what it says"));
    }
    Ok(Frame { kind, body: body.to_vec(), descriptors })
}
