//! The program's allocator: the system's, with freed memory overwritten.
//!
//! Secrets in types of their own are wiped by those types. Libraries also copy them into buffers of JSON, HTTP, D-Bus
//! and base64; this wipes those copies, and what a growing buffer leaves behind.
#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

/// Larger blocks are returned to the kernel, which wipes them itself; scrypt's has 128 MiB.
const LIMIT: usize = 4 << 20;

static IS_WIPING: AtomicBool = AtomicBool::new(false);

/// Starts wiping freed memory. Not needed until a secret is in memory: parsing the command line frees most of the
/// blocks of a run.
pub(crate) fn begin_wiping() {
    IS_WIPING.store(true, Ordering::Relaxed);
}

fn is_wiped(size: usize) -> bool {
    size <= LIMIT && IS_WIPING.load(Ordering::Relaxed)
}

struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

/// Overwrites `size` bytes from `start` with zeros.
///
/// # Safety
/// The caller must own these bytes.
unsafe fn wipe(start: *mut u8, size: usize) {
    // SAFETY: the caller guarantees it.
    unsafe {
        start.write_bytes(0, size);
    }
    // Without this, the compiler would remove the writes, as nothing reads the zeros.
    black_box(start);
}

// SAFETY: every block comes from `System` and is returned to it with its original layout.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller guarantees a valid `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has the layout's size, and belongs to the caller, who frees it.
        unsafe {
            if is_wiped(layout.size()) {
                wipe(block, layout.size());
            }
            System.dealloc(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: both blocks are at least as long as the copied part, and do not overlap. The caller guarantees that
        // `new_size` and the alignment form a valid layout.
        unsafe {
            if !is_wiped(layout.size()) {
                return System.realloc(block, layout, new_size);
            }
            let new = System.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, SeekFrom};

    /// Counts the occurrences, in this process's heap, of the bytes whose complement is `complement`.
    fn copies(complement: &[u8]) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut found = 0;
        for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[stack]")) {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            memory.seek(SeekFrom::Start(from)).unwrap();
            // A mapping of another test may have been removed meanwhile.
            if memory.read_exact(&mut bytes).is_err() {
                continue;
            }
            let mut rest = &bytes[..];
            // Comparing at each byte takes a minute where other tests have filled the memory.
            while let Some(at) = rest.iter().position(|byte| *byte == !complement[0]) {
                rest = &rest[at..];
                found += usize::from(
                    rest.iter().zip(complement).filter(|(a, b)| **a == !**b).count() == complement.len(),
                );
                rest = &rest[1..];
            }
        }
        found
    }

    #[test]
    fn what_is_given_back_holds_no_secret_any_more() {
        super::begin_wiping();
        let mut random = [0; 24];
        getrandom::getrandom(&mut random).unwrap();
        let complement: Vec<u8> = random.iter().map(|byte| !(b'a' + byte % 26)).collect();
        let secret = || complement.iter().map(|byte| char::from(!byte)).collect::<String>();
        let kept = secret();
        // At least here, and in the buffer that was searched.
        assert!(copies(&complement) > 0, "the search finds nothing");
        drop(kept);
        for round in 0..50 {
            let json = serde_json::json!({ "secret": secret(), "round": round });
            let text = format!("{json:#} {}", json["secret"]);
            let mut growing = Vec::new();
            for byte in text.bytes() {
                growing.push(byte);
            }
            let parsed: serde_json::Value = serde_json::from_slice(&growing[..growing.len() - 27]).unwrap();
            assert_eq!(parsed["round"], round);
        }
        assert_eq!(copies(&complement), 0);
    }
}
