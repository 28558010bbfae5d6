//! Whose a connection over loopback is: another user of the machine can connect to any port of it.

use std::net::TcpStream;

/// The user at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// This process's user, or root.
    #[cfg(target_os = "linux")]
    Trusted,
    /// Another user, or a socket that was closed: its owner is not known any more.
    #[cfg(target_os = "linux")]
    Other,
    /// The system does not say.
    Unknown,
}

impl Peer {
    /// Whether it is known that another user is there.
    pub(crate) fn is_refused(self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Other => true,
            _ => false,
        }
    }
}

/// Finds out who is at the other end of a connection to 127.0.0.1. The other end must be open still.
#[cfg(target_os = "linux")]
pub(crate) fn find_peer(connection: &TcpStream) -> Peer {
    use std::fs::read_to_string;
    let (Ok(theirs), Ok(ours)) = (connection.peer_addr(), connection.local_addr()) else {
        return Peer::Other;
    };
    let tables: Vec<String> =
        ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|path| read_to_string(path).ok()).collect();
    if tables.is_empty() {
        return Peer::Unknown;
    }
    let uid = tables.iter().find_map(|table| linux::find_owner(table, theirs, ours));
    let me = rustix::process::geteuid().as_raw();
    if uid.is_some_and(|uid| uid == me || uid == 0) { Peer::Trusted } else { Peer::Other }
}

/// Finds out who is at the other end of a connection to 127.0.0.1.
#[cfg(not(target_os = "linux"))]
pub(crate) fn find_peer(_: &TcpStream) -> Peer {
    Peer::Unknown
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::{IpAddr, SocketAddr};

    /// The uid of the socket from `theirs` to `ours` in a table of `/proc/net` (proc_pid_net(5)).
    ///
    /// Security: a socket that its program has closed has no inode, and uid 0 whoever it was. It has no owner.
    pub(super) fn find_owner(table: &str, theirs: SocketAddr, ours: SocketAddr) -> Option<u32> {
        let (theirs, ours) = (render_addresses(theirs), render_addresses(ours));
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let &[_, local, remote, _, _, _, _, uid, _, inode, ..] = fields.as_slice() else { return None };
            let is_it = theirs.iter().zip(&ours).any(|(theirs, ours)| theirs == local && ours == remote);
            (is_it && inode != "0").then(|| uid.parse().ok())?
        })
    }

    /// As a socket of IPv4 and as one of IPv6 has it: words in the machine's byte order.
    fn render_addresses(address: SocketAddr) -> [String; 2] {
        let (IpAddr::V4(ip), port) = (address.ip(), address.port()) else { return Default::default() };
        let word = u32::from_ne_bytes(ip.octets());
        let mapped = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
        [format!("{word:08X}:{port:04X}"), format!("{:016X}{mapped:08X}{word:08X}:{port:04X}", 0)]
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn the_owner_of_a_connection_is_found_and_that_of_a_closed_one_is_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(find_peer(&server), Peer::Trusted);
        drop(client);
        assert_eq!(find_peer(&server), Peer::Other);
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
