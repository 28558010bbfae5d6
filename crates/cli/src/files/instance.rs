//! Whether the machine is an EC2 instance, by what its firmware says. No request is made: elsewhere nothing would answer
//! it, and that takes a while.

use std::fs::File;
use std::io::Read;

/// The files in which Linux shows it, and what their text begins with: on Nitro, and on Xen.
const SIGNS: [(&str, &str); 2] =
    [("/sys/class/dmi/id/sys_vendor", "Amazon EC2"), ("/sys/hypervisor/uuid", "ec2")];

/// Whether one of the signs is there.
pub(crate) fn is_ec2_instance() -> bool {
    SIGNS.iter().any(|(path, start)| {
        let mut text = String::new();
        File::open(path).and_then(|file| file.take(64).read_to_string(&mut text)).is_ok()
            && text.starts_with(start)
    })
}
