//! Compares round trips to another thread or process.
//!
//! ```sh
//! cargo bench -p dragnet-sidecar --bench round_trip
//! ```
//!
//! Each contender sends one request and waits for its reply before it sends the next:
//!
//! - two threads of this process that wake each other with a futex: the lower bound for any wait that
//!   sleeps,
//! - a pair of `std::sync::mpsc` channels between two threads,
//! - a pair of `ipc-channel` channels between two processes,
//! - a frame sent over the socket of a sidecar, and one sent back,
//! - a sidecar that gets a batch of one empty record and whose scanner searches for nothing,
//! - starting a process and waiting for its exit: the cost of a request if no process stays alive to
//!   serve it.
//!
//! The contenders take turns in each of several rounds, so that a machine that becomes faster or slower
//! affects all of them. The output is the time of a round trip in microseconds: the median, the least
//! and the greatest of the rounds, and the median relative to the futex. `dragnet cost` measures a
//! sidecar and the calls of `dragnet-boundary` with work of different sizes.
//!
//! Environment variables, with their defaults:
//!
//! - `DRAGNET_ROUNDS`: the number of rounds (9).
//! - `DRAGNET_MILLISECONDS`: the time of each contender in a round, in milliseconds (50).

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("sidecars are supported on Linux only");
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::env;
    use std::io::{self, stdin};
    use std::os::fd::AsFd;
    use std::process::{Child, Command, Stdio, exit};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use dragnet::{
        Backend, Batch, BatchBuf, Matches, PatternSet, Report, Scan, ScanError, StopFlag,
    };
    use dragnet_sidecar::transport::FrameSocket;
    use dragnet_sidecar::{Limits, Server, Sidecar};
    use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender};
    use rustix::io::Errno;
    use rustix::thread::futex;

    /// The prefix of the argument with which this program runs as the other process of a contender.
    const PEER: &str = "--peer=";

    /// How long another process may take to start or to reply.
    const TIMEOUT: Duration = Duration::from_secs(10);

    struct Contender {
        name: &'static str,
        round_trip: Box<dyn FnMut() -> io::Result<()>>,
        /// The mean time of a round trip in each round.
        times: Vec<Duration>,
    }

    pub(crate) fn main() -> io::Result<()> {
        let peer = env::args().find_map(|arg| arg.strip_prefix(PEER).map(str::to_owned));
        if let Some(peer) = peer {
            return serve(&peer);
        }
        let rounds = env_number("DRAGNET_ROUNDS", 9).max(1);
        let turn = Duration::from_millis(env_number("DRAGNET_MILLISECONDS", 50));
        let mut contenders = [
            contender("futex, threads", futex_hand_over()),
            contender("std::sync::mpsc, threads", channels()),
            contender("ipc-channel, processes", ipc_channels()?),
            contender("frames of a sidecar", frames()?),
            contender("sidecar", sidecar()?),
            contender("start of a process", process_start()),
        ];
        for _ in 0..rounds {
            for contender in &mut contenders {
                contender.take_turn(turn)?;
            }
        }
        println!(
            "{:<28} {:>10} {:>10} {:>10} {:>9}",
            "microseconds", "median", "least", "greatest", "ratio"
        );
        let base = contenders[0].median();
        for contender in &mut contenders {
            let median = contender.median();
            let [least, greatest] =
                [contender.times[0], contender.times[contender.times.len() - 1]];
            let [median_us, least, greatest] =
                [median, least, greatest].map(|time| time.as_secs_f64() * 1e6);
            let ratio = median.as_secs_f64() / base.as_secs_f64();
            let name = contender.name;
            println!("{name:<28} {median_us:>10.1} {least:>10.1} {greatest:>10.1} {ratio:>8.2}x");
        }
        Ok(())
    }

    fn env_number(variable: &str, default: u64) -> u64 {
        env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    fn contender(
        name: &'static str,
        round_trip: impl FnMut() -> io::Result<()> + 'static,
    ) -> Contender {
        Contender { name, round_trip: Box::new(round_trip), times: Vec::new() }
    }

    impl Contender {
        fn take_turn(&mut self, turn: Duration) -> io::Result<()> {
            // The first round trip after another contender's turn is slower: caches are cold.
            (self.round_trip)()?;
            let (start, mut calls) = (Instant::now(), 0);
            while start.elapsed() < turn {
                (self.round_trip)()?;
                calls += 1;
            }
            self.times.push(start.elapsed() / calls.max(1));
            Ok(())
        }

        /// Sorts the times and returns their median.
        fn median(&mut self) -> Duration {
            self.times.sort_unstable();
            self.times[self.times.len() / 2]
        }
    }

    /// Returns the command that runs this program as the other process of a contender.
    fn peer_command(peer: &str) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program has a path"));
        command.arg(format!("{PEER}{peer}"));
        command
    }

    fn serve(peer: &str) -> io::Result<()> {
        let socket = || stdin().as_fd().try_clone_to_owned();
        match peer.split_once(':') {
            Some(("ipc-channel", name)) => return serve_ipc_channels(name.to_owned()),
            Some(_) => {}
            None if peer == "exit" => return Ok(()),
            None if peer == "frames" => return serve_frames(&FrameSocket::new(socket()?)),
            None if peer == "sidecar" => {
                let server = Server::new(socket()?, Limits::default(), || exit(2));
                let served = server
                    .and_then(|server| server.run_with(|_, _, _, _| Ok(Box::new(NothingScanner))));
                return served.map_err(io::Error::other);
            }
            None => {}
        }
        Err(io::Error::other(format!("there is no contender {peer}")))
    }

    fn disconnected<E>(_: E) -> io::Error {
        io::Error::other("the other thread or process has ended")
    }

    /// The value of the futex word while the other thread has a request to answer.
    const REQUEST: u32 = 1;
    /// The value of the futex word once it has replied.
    const REPLY: u32 = 0;

    fn futex_hand_over() -> impl FnMut() -> io::Result<()> {
        fn pass(word: &AtomicU32, turn: u32) -> io::Result<()> {
            word.store(turn, Ordering::Release);
            futex::wake(word, futex::Flags::PRIVATE, 1)?;
            Ok(())
        }
        fn wait_while(word: &AtomicU32, turn: u32) -> io::Result<()> {
            while word.load(Ordering::Acquire) == turn {
                match futex::wait(word, futex::Flags::PRIVATE, turn, None) {
                    Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        }
        let word = Arc::new(AtomicU32::new(REPLY));
        let other = Arc::clone(&word);
        // This thread runs until the process exits.
        thread::spawn(move || -> io::Result<()> {
            loop {
                wait_while(&other, REPLY)?;
                pass(&other, REPLY)?;
            }
        });
        move || {
            pass(&word, REQUEST)?;
            wait_while(&word, REQUEST)
        }
    }

    fn channels() -> impl FnMut() -> io::Result<()> {
        let (request, requests) = mpsc::channel::<u64>();
        let (reply, replies) = mpsc::channel();
        thread::spawn(move || requests.iter().try_for_each(|request| reply.send(request)));
        move || {
            request.send(1).map_err(disconnected)?;
            replies.recv().map(drop).map_err(disconnected)
        }
    }

    /// The client's ends of the two channels.
    type ChannelEnds = (IpcSender<u64>, IpcReceiver<u64>);

    /// A process that is killed on drop.
    struct KilledOnDrop(Child);

    impl Drop for KilledOnDrop {
        fn drop(&mut self) {
            // Both fail only if the process has exited and was waited for.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn ipc_channels() -> io::Result<impl FnMut() -> io::Result<()>> {
        let (server, name) = IpcOneShotServer::<ChannelEnds>::new().map_err(io::Error::other)?;
        let process = peer_command(&format!("ipc-channel:{name}")).spawn().map(KilledOnDrop)?;
        // `accept` has no timeout for a process that does not connect.
        let (sender, accepted) = mpsc::channel();
        thread::spawn(move || sender.send(server.accept()));
        let accepted = accepted.recv_timeout(TIMEOUT).map_err(io::Error::other)?;
        let (_, (request, replies)) = accepted.map_err(io::Error::other)?;
        Ok(move || {
            let _process = &process;
            request.send(1).map_err(disconnected)?;
            replies.recv().map(drop).map_err(disconnected)
        })
    }

    fn serve_ipc_channels(name: String) -> io::Result<()> {
        let connection = IpcSender::<ChannelEnds>::connect(name).map_err(io::Error::other)?;
        let (request, requests) = ipc::channel::<u64>().map_err(io::Error::other)?;
        let (reply, replies) = ipc::channel::<u64>().map_err(io::Error::other)?;
        connection.send((request, replies)).map_err(io::Error::other)?;
        // `recv` fails once the client has ended.
        while let Ok(request) = requests.recv() {
            reply.send(request).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn frames() -> io::Result<impl FnMut() -> io::Result<()>> {
        let socket = FrameSocket::spawn(peer_command("frames"))?;
        Ok(move || {
            socket.send(&[1; 8])?;
            socket.receive(TIMEOUT)?.map(drop).ok_or_else(|| disconnected(()))
        })
    }

    fn serve_frames(socket: &FrameSocket) -> io::Result<()> {
        // A time that the clock can't represent is no limit.
        while let Some(body) = socket.receive(Duration::MAX)? {
            socket.send(&body)?;
        }
        Ok(())
    }

    /// Finds no matches.
    struct NothingScanner;

    impl Scan for NothingScanner {
        fn scan(&mut self, _: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
            out.clear();
            Ok(())
        }

        fn set_stop(&mut self, _: StopFlag) {}
    }

    fn sidecar() -> io::Result<impl FnMut() -> io::Result<()>> {
        let set = PatternSet::new(["nothing"]).map_err(io::Error::other)?;
        let mut sidecar = Sidecar::builder(&set, Report::Patterns)
            .backend(Backend::Pure)
            .spawn_with(|| peer_command("sidecar"))
            .map_err(io::Error::other)?;
        let mut records = BatchBuf::new();
        records.push(b"").map_err(io::Error::other)?;
        let mut matches = Matches::new();
        Ok(move || sidecar.scan(&records.as_batch(), &mut matches).map_err(io::Error::other))
    }

    fn process_start() -> impl FnMut() -> io::Result<()> {
        || {
            let status = peer_command("exit").stdout(Stdio::null()).status()?;
            if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
        }
    }
}
