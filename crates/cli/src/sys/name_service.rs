//! Configures which services the C library uses for hosts and users, if that library is linked statically.

/// Makes the C library look hosts up in `/etc/hosts` and by DNS, and users in `/etc/passwd`, ignoring other services in
/// `/etc/nsswitch.conf`. Call this before the first look-up.
///
/// The released program for Linux is linked statically. For any other service (mDNS, LDAP, systemd's), glibc would load
/// the system's module, and with it the system's glibc in addition to its own, which only works if both have the same
/// version.
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
#[expect(unsafe_code, reason = "glibc's interface is unsafe")]
pub(crate) fn use_own_services() {
    use std::ffi::{c_char, c_int};

    unsafe extern "C" {
        /// From <nss.h>.
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    for (database, services) in [(c"hosts", c"files dns"), (c"passwd", c"files")] {
        // SAFETY: both strings end with a NUL byte, and the call does not keep them.
        unsafe { __nss_configure_lookup(database.as_ptr(), services.as_ptr()) };
    }
}

/// Does nothing: the system's own library handles all its services.
#[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
pub(crate) fn use_own_services() {}
