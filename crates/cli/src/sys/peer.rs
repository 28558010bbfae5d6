//! Finds the user behind a loopback connection, as any user of the machine can connect to its ports.

use std::net::SocketAddr;

/// The user at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// This process's user, or root.
    #[cfg(target_os = "linux")]
    Trusted,
    /// Another user; or the socket was closed, which hides its owner.
    #[cfg(target_os = "linux")]
    Other,
    /// The system does not provide it.
    Unknown,
}

/// Whether to accept connections whose user the system does not provide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownPeers {
    /// Accept: something else keeps other users out.
    Admitted,
    /// Refuse.
    Refused,
}

impl Peer {
    /// Whether the other end is, or could be, another user.
    pub(crate) fn is_refused(self, unknown: UnknownPeers) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Trusted => false,
            #[cfg(target_os = "linux")]
            Self::Other => true,
            Self::Unknown => unknown == UnknownPeers::Refused,
        }
    }
}

/// Whether a user is trusted like this process's own: the same user, or root.
#[cfg(unix)]
pub(crate) fn is_trusted_user(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

/// Finds the users at the other ends of connections to 127.0.0.1, while those ends are open.
#[derive(Debug)]
pub(crate) struct PeerFinder {
    /// Answers for a single connection, while the tables in `/proc/net` list all of the machine.
    #[cfg(target_os = "linux")]
    diagnosis: Option<std::os::fd::OwnedFd>,
}

#[cfg(target_os = "linux")]
impl PeerFinder {
    pub(crate) fn new() -> Self {
        Self { diagnosis: linux::open_diagnosis() }
    }

    /// Returns the owner of the socket at `theirs` that is connected to `ours`.
    pub(crate) fn find(&mut self, theirs: SocketAddr, ours: SocketAddr) -> Peer {
        let asked = self.diagnosis.as_ref().map(|socket| linux::ask_owner(socket, theirs, ours));
        let uid = if let Some(Ok(uid)) = asked {
            uid
        } else {
            // The call is denied, or the kernel does not support it.
            self.diagnosis = None;
            let Ok(uid) = linux::read_owner(theirs, ours) else { return Peer::Unknown };
            uid
        };
        if uid.is_some_and(is_trusted_user) { Peer::Trusted } else { Peer::Other }
    }
}

#[cfg(not(target_os = "linux"))]
impl PeerFinder {
    pub(crate) fn new() -> Self {
        Self {}
    }

    /// Returns the owner of the socket at `theirs` that is connected to `ours`.
    #[expect(clippy::unused_self, reason = "other systems ask the kernel")]
    pub(crate) fn find(&mut self, _: SocketAddr, _: SocketAddr) -> Peer {
        Peer::Unknown
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{IpAddr, SocketAddr};
    use std::os::fd::OwnedFd;

    use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with,
    };

    /// `SOCK_DIAG_BY_FAMILY` from linux/sock_diag.h.
    const BY_FAMILY: u16 = 20;
    /// `NLMSG_ERROR` from linux/netlink.h.
    const ERROR: u16 = 2;
    /// `NLM_F_REQUEST`.
    const REQUEST: u16 = 1;
    const AF_INET: u8 = 2;
    const IPPROTO_TCP: u8 = 6;
    const ENOENT: i32 = 2;
    /// Sizes of `nlmsghdr`, `inet_diag_req_v2` and `inet_diag_msg`, in bytes.
    const HEADER: usize = 16;
    const ASKED: usize = 56;
    const ANSWERED: usize = 72;
    /// `INET_DIAG_NOCOOKIE`, twice.
    const NO_COOKIE: [u8; 8] = [0xff; 8];

    /// Opens a socket for sock_diag(7).
    pub(super) fn open_diagnosis() -> Option<OwnedFd> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(SOCK_DIAG)).ok()?;
        connect(&socket, &SocketAddrNetlink::new(0, 0)).ok()?;
        Some(socket)
    }

    /// Asks the kernel for the uid of the socket from `theirs` to `ours`; `None` if there is no such socket.
    pub(super) fn ask_owner(
        socket: &OwnedFd,
        theirs: SocketAddr,
        ours: SocketAddr,
    ) -> io::Result<Option<u32>> {
        send(socket, &render_question(theirs, ours)?, SendFlags::empty())?;
        let mut answer = [0; 512];
        // The kernel answers before `send` returns.
        let (count, _) = recv(socket, &mut answer, RecvFlags::DONTWAIT)?;
        parse_answer(answer.get(..count).unwrap_or_default(), theirs, ours)
    }

    fn render_question(theirs: SocketAddr, ours: SocketAddr) -> io::Result<Vec<u8>> {
        let length = u32::try_from(HEADER + ASKED).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + ASKED);
        bytes.extend(length.to_ne_bytes());
        bytes.extend(BY_FAMILY.to_ne_bytes());
        bytes.extend(REQUEST.to_ne_bytes());
        bytes.extend([0; 8]);
        // No extensions; any state.
        bytes.extend([AF_INET, IPPROTO_TCP, 0, 0]);
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(render_id(theirs, ours).ok_or(io::ErrorKind::InvalidInput)?);
        bytes.extend([0; 4]);
        bytes.extend(NO_COOKIE);
        Ok(bytes)
    }

    /// Renders the ports and addresses of `inet_diag_sockid`.
    fn render_id(theirs: SocketAddr, ours: SocketAddr) -> Option<Vec<u8>> {
        let (IpAddr::V4(from), IpAddr::V4(to)) = (theirs.ip(), ours.ip()) else { return None };
        let mut bytes = Vec::with_capacity(36);
        bytes.extend(theirs.port().to_be_bytes());
        bytes.extend(ours.port().to_be_bytes());
        for ip in [from, to] {
            bytes.extend(ip.octets());
            bytes.extend([0; 12]);
        }
        Some(bytes)
    }

    /// Parses the owner from the kernel's answer; `None` if there is no such socket.
    fn parse_answer(bytes: &[u8], theirs: SocketAddr, ours: SocketAddr) -> io::Result<Option<u32>> {
        let broken = || io::Error::from(io::ErrorKind::InvalidData);
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_ne_bytes).ok_or_else(broken)
        };
        let kind = bytes.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
        if kind == Some(ERROR) {
            let error = word(HEADER)?.cast_signed();
            return if error == -ENOENT { Ok(None) } else { Err(broken()) };
        }
        if kind != Some(BY_FAMILY) || bytes.len() < HEADER + ANSWERED {
            return Err(broken());
        }
        // Security: once the connection is gone, the kernel returns another socket: the one that listens at `theirs`. A
        // program that uses IPv6 for both has its addresses in another form.
        let id = bytes.get(HEADER + 4..HEADER + 40).ok_or_else(broken)?;
        let is_it = render_id(theirs, ours).is_some_and(|v4| {
            let is_same_port = v4.get(..4) == id.get(..4);
            let is_same = |at: usize| {
                let ip = v4.get(at..at + 4);
                let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
                ip == id.get(at..at + 4)
                    || (id.get(at..at + 12) == Some(&mapped) && ip == id.get(at + 12..at + 16))
            };
            is_same_port && is_same(4) && is_same(20)
        });
        let (uid, inode) = (word(HEADER + 64)?, word(HEADER + 68)?);
        Ok((is_it && inode != 0).then_some(uid))
    }

    /// Looks up the owner in the tables of `/proc/net`.
    ///
    /// # Errors
    /// If there are no such tables.
    pub(super) fn read_owner(theirs: SocketAddr, ours: SocketAddr) -> io::Result<Option<u32>> {
        let four = std::fs::read_to_string("/proc/net/tcp");
        let six = std::fs::read_to_string("/proc/net/tcp6");
        if let (Err(error), Err(_)) = (&four, &six) {
            return Err(error.kind().into());
        }
        Ok([four, six].into_iter().flatten().find_map(|table| find_owner(&table, theirs, ours)))
    }

    /// Finds the uid of the socket from `theirs` to `ours` in a table of `/proc/net` (proc_pid_net(5)).
    ///
    /// Security: a socket that its program has closed has no inode and always uid 0, so it counts as having no owner.
    pub(super) fn find_owner(table: &str, theirs: SocketAddr, ours: SocketAddr) -> Option<u32> {
        let (theirs, ours) = (render_addresses(theirs), render_addresses(ours));
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let &[_, local, remote, _, _, _, _, uid, _, inode, ..] = fields.as_slice() else { return None };
            let is_it = theirs.iter().zip(&ours).any(|(theirs, ours)| theirs == local && ours == remote);
            (is_it && inode != "0").then(|| uid.parse().ok())?
        })
    }

    /// Renders an address as in the tables for IPv4 and for IPv6, in words of the machine's byte order.
    fn render_addresses(address: SocketAddr) -> [String; 2] {
        let (IpAddr::V4(ip), port) = (address.ip(), address.port()) else { return Default::default() };
        let word = u32::from_ne_bytes(ip.octets());
        let mapped = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
        [format!("{word:08X}:{port:04X}"), format!("{:016X}{mapped:08X}{word:08X}:{port:04X}", 0)]
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    fn find_peer(connection: &TcpStream) -> Peer {
        PeerFinder::new().find(connection.peer_addr().unwrap(), connection.local_addr().unwrap())
    }

    #[test]
    fn the_owner_of_a_connection_is_found_and_that_of_a_closed_one_is_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(find_peer(&server), Peer::Trusted);
        let (theirs, ours) = (server.peer_addr().unwrap(), server.local_addr().unwrap());
        let me = Some(rustix::process::geteuid().as_raw());
        assert_eq!(linux::read_owner(theirs, ours).unwrap(), me);
        let mut finder = PeerFinder::new();
        assert!(finder.diagnosis.is_some(), "the kernel answers for one connection");
        for _ in 0..3 {
            assert_eq!(finder.find(theirs, ours), Peer::Trusted);
        }
        drop(client);
        assert_eq!(find_peer(&server), Peer::Other);
        assert_eq!(finder.find(theirs, ours), Peer::Other);
        assert_eq!(linux::read_owner(theirs, ours).unwrap(), None);
        assert!(finder.diagnosis.is_some());
    }

    #[test]
    fn who_is_not_known_is_refused_where_only_the_user_protects() {
        for (peer, admitted, refused) in
            [(Peer::Trusted, false, false), (Peer::Other, true, true), (Peer::Unknown, false, true)]
        {
            assert_eq!(peer.is_refused(UnknownPeers::Admitted), admitted, "{peer:?}");
            assert_eq!(peer.is_refused(UnknownPeers::Refused), refused, "{peer:?}");
        }
    }

    #[test]
    fn a_listener_at_the_other_address_is_not_taken_for_the_client() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (theirs, ours) = (other.local_addr().unwrap(), listener.local_addr().unwrap());
        assert_eq!(PeerFinder::new().find(theirs, ours), Peer::Other);
    }

    #[test]
    fn a_client_that_uses_ipv6_for_it_is_found() {
        let Ok(client) =
            rustix::net::socket(rustix::net::AddressFamily::INET6, rustix::net::SocketType::STREAM, None)
        else {
            println!("skipped: there is no IPv6");
            return;
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mapped = SocketAddr::from((Ipv4Addr::LOCALHOST.to_ipv6_mapped(), port));
        if rustix::net::connect(&client, &mapped).is_err() {
            println!("skipped: IPv6 does not reach IPv4");
            return;
        }
        let (server, _) = listener.accept().unwrap();
        assert_eq!(find_peer(&server), Peer::Trusted);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_table_of_the_kernel_is_read() {
        const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let (theirs, ours) = ("127.0.0.1:41337".parse().unwrap(), "127.0.0.1:41001".parse().unwrap());
        let line = |local: &str, remote: &str, uid: u32, inode: u32| {
            format!(
                "{HEAD}   0: {local} {remote} 01 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} 1 0\n"
            )
        };
        let six = "0000000000000000FFFF00000100007F";
        for (table, owner) in [
            (line("0100007F:A179", "0100007F:A029", 1000, 7), Some(1000)),
            (line(&format!("{six}:A179"), &format!("{six}:A029"), 1001, 7), Some(1001)),
            (line("0100007F:A029", "0100007F:A179", 1000, 7), None),
            (line("0100007F:A179", "0100007F:A028", 1000, 7), None),
            (line("0100007F:A179", "0100007F:A029", 0, 0), None),
            (HEAD.to_owned(), None),
            ("nonsense\nnonsense\n".to_owned(), None),
        ] {
            assert_eq!(linux::find_owner(&table, theirs, ours), owner, "{table}");
        }
    }
}
