//! The other process of a rung: this program, run again with the name of a [`Peer`].

use std::io;
use std::path::Path;
use std::process::Command;

/// The rung that the other process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    FrameSocket,
    Sidecar,
}

impl Peer {
    const ALL: [Peer; 2] = [Peer::FrameSocket, Peer::Sidecar];

    /// Returns the name of this peer on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::FrameSocket => "frame-socket",
            Peer::Sidecar => "sidecar",
        }
    }

    /// Returns the command that runs `program` as this peer.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "peers require Linux"))]
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(["cost-peer", self.name()]);
        command
    }

    /// Returns the peer with this name.
    pub(crate) fn from_name(name: &str) -> Option<Peer> {
        Peer::ALL.into_iter().find(|peer| peer.name() == name)
    }
}

/// Serves the process that has started this one, over the socket that is the standard input, until that
/// process closes the socket.
///
/// # Errors
///
/// If the standard input is not such a socket, the client violates the protocol, or the system is not
/// Linux.
pub(crate) fn serve(peer: Peer) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsFd;

        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        match peer {
            Peer::FrameSocket => super::frame_socket::serve(socket),
            Peer::Sidecar => super::sidecar::serve(socket),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let text = format!("the rung {} requires Linux", peer.name());
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    }
}

#[cfg(test)]
mod tests {
    use super::Peer;

    #[test]
    fn peers_are_found_by_their_names() {
        for peer in Peer::ALL {
            assert_eq!(Peer::from_name(peer.name()), Some(peer));
        }
        assert_eq!(Peer::from_name("nobody"), None);
    }
}
