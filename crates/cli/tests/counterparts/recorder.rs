//! A proxy between a client and the sandbox that keeps every byte the client sends.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::wire::Wire;

type Taken = Arc<Mutex<Vec<Arc<Mutex<Vec<u8>>>>>>;

/// A proxy that runs until the test ends.
pub(crate) struct Recorder {
    address: SocketAddr,
    /// The bytes from each connection, in the order in which they were opened.
    taken: Taken,
}

impl Recorder {
    /// Starts one in front of `upstream`.
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Taken::default();
        let kept = Arc::clone(&taken);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(upstream)) else { continue };
                let bytes = Arc::new(Mutex::new(Vec::new()));
                kept.lock().unwrap().push(Arc::clone(&bytes));
                let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pump(from_client, to_server, Some(&bytes)));
                thread::spawn(move || pump(server, client, None));
            }
        });
        Self { address, taken }
    }

    /// Its URL, for `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far. The client must have ended.
    pub(crate) fn requests(&self) -> Vec<Wire> {
        let taken = self.taken.lock().unwrap();
        taken.iter().flat_map(|bytes| Wire::split(&bytes.lock().unwrap())).collect()
    }
}

/// Forwards bytes in one direction until either side ends. They are recorded before they are forwarded, so that every
/// request that got an answer is complete.
fn pump(mut from: TcpStream, mut to: TcpStream, kept: Option<&Mutex<Vec<u8>>>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if let Some(kept) = kept {
            kept.lock().unwrap().extend_from_slice(&buffer[..length]);
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other side may have closed already.
    drop(to.shutdown(Shutdown::Write));
}
