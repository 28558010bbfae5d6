//! Which services the C library asks for hosts and users, where the program holds that library itself.

/// Has hosts looked up in `/etc/hosts` and by DNS, and users in `/etc/passwd`, whatever else `/etc/nsswitch.conf` names.
/// To be called before the first look-up.
///
/// The released program for Linux is linked statically. For any other service (mDNS, LDAP, systemd's) glibc would load
/// the system's module, and with it the system's glibc beside its own, which it supports for the same version only.
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
#[expect(unsafe_code, reason = "glibc's interface is unsafe")]
pub(crate) fn use_own_services() {
    use std::ffi::{c_char, c_int};

    unsafe extern "C" {
        /// Of <nss.h>.
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    for (database, services) in [(c"hosts", c"files dns"), (c"passwd", c"files")] {
        // SAFETY: both are strings that end with a NUL byte, and are not kept.
        unsafe { __nss_configure_lookup(database.as_ptr(), services.as_ptr()) };
    }
}

/// Nothing to do: the system's own library looks up.
#[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
pub(crate) fn use_own_services() {}
