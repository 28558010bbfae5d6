//! Users and access lists of Windows: who can do what with a file.
#![expect(unsafe_code, reason = "std has no word for owners and access lists")]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, INVALID_HANDLE_VALUE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW,
    GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce,
    GetSecurityDescriptorControl, GetTokenInformation, INHERIT_ONLY_ACE, IsWellKnownSid,
    OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID,
    SE_DACL_PROTECTED, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
    UNPROTECTED_DACL_SECURITY_INFORMATION, WinBuiltinAdministratorsSid, WinLocalSystemSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_CREATION_DISPOSITION, FILE_SHARE_DELETE,
    FILE_SHARE_READ, FILE_SHARE_WRITE,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::wide::{text_at, wide};

/// Types of entries in an access list (MS-DTYP, 2.4.4.1).
const ALLOWED: u8 = 0;
const ALLOWED_OBJECT: u8 = 5;
const ALLOWED_CALLBACK: u8 = 9;
const ALLOWED_CALLBACK_OBJECT: u8 = 11;
/// Denying entries: plain, for objects, and with conditions.
const DENIED: [u8; 4] = [1, 6, 10, 12];

fn check(done: i32) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn check_code(code: u32) -> io::Result<()> {
    if code == ERROR_SUCCESS { Ok(()) } else { Err(io::Error::from_raw_os_error(code.cast_signed())) }
}

/// The user that this process runs as.
struct User {
    /// A `TOKEN_USER`, followed by the data that its pointer refers to.
    buffer: Box<[u64]>,
}

impl User {
    /// Returns the user of this process, loaded once.
    fn current() -> io::Result<&'static Self> {
        static USER: OnceLock<User> = OnceLock::new();
        if let Some(user) = USER.get() {
            return Ok(user);
        }
        let user = Self::load()?;
        Ok(USER.get_or_init(|| user))
    }

    fn load() -> io::Result<Self> {
        // A SID has at most 68 bytes (MS-DTYP, 2.4.2).
        let mut buffer = vec![0_u64; 32].into_boxed_slice();
        let (mut token, mut length) = (std::ptr::null_mut(), 0);
        // SAFETY: nothing else owns the token's handle, and the buffer has the given length and the alignment of the
        // type that is written into it.
        unsafe {
            check(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token))?;
            let token = OwnedHandle::from_raw_handle(token);
            let room = u32::try_from(size_of_val(&*buffer)).unwrap_or_default();
            check(GetTokenInformation(
                token.as_raw_handle(),
                TokenUser,
                buffer.as_mut_ptr().cast(),
                room,
                &raw mut length,
            ))?;
        }
        Ok(Self { buffer })
    }

    fn sid(&self) -> PSID {
        // SAFETY: `load` filled the buffer with this type, and nothing moves or changes it.
        unsafe { (*self.buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }
}

/// Returns the user of this process as text: `S-1-5-21-...`.
pub(super) fn user_text() -> io::Result<String> {
    let mut text = std::ptr::null_mut();
    // SAFETY: the SID is valid as long as the user, which is never dropped. The text is freed once, after its last use.
    unsafe {
        check(ConvertSidToStringSidW(User::current()?.sid(), &raw mut text))?;
        let shown = text_at(text);
        LocalFree(text.cast());
        Ok(shown)
    }
}

/// A security descriptor allocated by the system.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: it was allocated for this value, and is freed once.
        unsafe { LocalFree(self.0) };
    }
}

impl Descriptor {
    /// Returns a descriptor with access for the user and the system, which cannot be excluded. `inherited` contains the
    /// flags for what is created below a directory.
    fn private(inherited: &str) -> io::Result<Self> {
        let user = user_text()?;
        Self::parse(&format!("O:{user}D:P(A;{inherited};FA;;;{user})(A;{inherited};FA;;;SY)"))
    }

    /// Parses the system's text format for descriptors.
    fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text)?;
        let mut descriptor = std::ptr::null_mut();
        // SAFETY: the text is NUL-terminated, and the length is not requested.
        check(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                std::ptr::null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }

    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or_default(),
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

/// Creates one private directory, whose content inherits that.
pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    let (name, descriptor) = (wide(path)?, Descriptor::private("OICI")?);
    let attributes = descriptor.attributes();
    // SAFETY: the name is NUL-terminated; attributes and descriptor outlive the call.
    check(unsafe { CreateDirectoryW(name.as_ptr(), &raw const attributes) })
}

/// Opens a file, which is private if this creates it.
pub(super) fn open_private_file(
    path: &Path,
    access: u32,
    disposition: FILE_CREATION_DISPOSITION,
) -> io::Result<File> {
    let (name, descriptor) = (wide(path)?, Descriptor::private("")?);
    let attributes = descriptor.attributes();
    // SAFETY: the name is NUL-terminated; attributes and descriptor outlive the call; nothing else owns the returned
    // handle.
    unsafe {
        let handle = CreateFileW(
            name.as_ptr(),
            access,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            &raw const attributes,
            disposition,
            FILE_ATTRIBUTE_NORMAL,
            std::ptr::null_mut(),
        );
        if handle == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        Ok(File::from_raw_handle(handle))
    }
}

/// What users other than this one can do with a file or directory. The system and the administrators are not counted,
/// as they can do anything with every file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strangers {
    /// Whether one of them owns it, and so can grant themselves any right.
    pub(super) own_it: bool,
    /// The rights that any of them has, ignoring entries that deny.
    pub(super) rights: u32,
}

impl Strangers {
    /// Returns the access to an open file.
    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        Self::load(|owner, list, descriptor| {
            // SAFETY: the handle is open while `file` is borrowed; pointers for results that are not needed are null.
            unsafe {
                GetSecurityInfo(
                    file.as_raw_handle(),
                    SE_FILE_OBJECT,
                    OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                    owner,
                    std::ptr::null_mut(),
                    list,
                    std::ptr::null_mut(),
                    descriptor,
                )
            }
        })
    }

    /// Returns the access to the file at a path.
    pub(super) fn at_path(path: &Path) -> io::Result<Self> {
        let name = wide(path)?;
        Self::load(|owner, list, descriptor| {
            // SAFETY: the name is NUL-terminated; pointers for results that are not needed are null.
            unsafe {
                GetNamedSecurityInfoW(
                    name.as_ptr(),
                    SE_FILE_OBJECT,
                    OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                    owner,
                    std::ptr::null_mut(),
                    list,
                    std::ptr::null_mut(),
                    descriptor,
                )
            }
        })
    }

    fn load(
        ask: impl FnOnce(&mut PSID, &mut *mut ACL, &mut PSECURITY_DESCRIPTOR) -> u32,
    ) -> io::Result<Self> {
        let user = User::current()?;
        let (mut owner, mut list, mut descriptor) =
            (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
        check_code(ask(&mut owner, &mut list, &mut descriptor))?;
        let _freed_at_the_end = Descriptor(descriptor);
        // SAFETY: owner and list point into the descriptor, which lives until the end of this function.
        unsafe {
            Ok(Self {
                own_it: owner.is_null() || !is_trusted(owner, user),
                // Without a list, everyone has all rights.
                rights: if list.is_null() { u32::MAX } else { rights_of_strangers(list, user)? },
            })
        }
    }
}

/// # Safety
/// `sid` points to a valid SID.
unsafe fn is_trusted(sid: PSID, user: &User) -> bool {
    // SAFETY: the caller guarantees that `sid` is valid, and the user's SID is valid.
    unsafe {
        EqualSid(sid, user.sid()) != 0
            || IsWellKnownSid(sid, WinLocalSystemSid) != 0
            || IsWellKnownSid(sid, WinBuiltinAdministratorsSid) != 0
    }
}

/// # Safety
/// `list` points to a valid access list.
unsafe fn rights_of_strangers(list: *const ACL, user: &User) -> io::Result<u32> {
    let mut rights = 0;
    // SAFETY: the caller guarantees that `list` is valid. Every entry begins with a header containing its type, and
    // both types read below have the layout of `ACCESS_ALLOWED_ACE`, whose SID begins at its last field.
    unsafe {
        for number in 0..u32::from((*list).AceCount) {
            let mut entry: *mut c_void = std::ptr::null_mut();
            check(GetAce(list, number, &raw mut entry))?;
            let header = *entry.cast::<ACE_HEADER>();
            if u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0 {
                continue;
            }
            match header.AceType {
                ALLOWED | ALLOWED_CALLBACK => {
                    let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
                    let sid: PSID = (&raw mut (*entry).SidStart).cast();
                    if !is_trusted(sid, user) {
                        rights |= (*entry).Mask;
                    }
                }
                // Not used for files, so its meaning here is unknown.
                ALLOWED_OBJECT | ALLOWED_CALLBACK_OBJECT => rights = u32::MAX,
                kind if DENIED.contains(&kind) => {}
                // Security: an entry of an unknown type may allow anything.
                _ => rights = u32::MAX,
            }
        }
    }
    Ok(rights)
}

/// Gives the file at `to` the access list of the one at `from`.
pub(super) fn copy_access(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide(from)?, wide(to)?);
    let (mut list, mut descriptor) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the names are NUL-terminated; unused pointers are null; the list points into the descriptor, which lives
    // until the end of this function.
    unsafe {
        check_code(GetNamedSecurityInfoW(
            from.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut list,
            std::ptr::null_mut(),
            &raw mut descriptor,
        ))?;
        let descriptor = Descriptor(descriptor);
        let (mut control, mut revision) = (0, 0);
        check(GetSecurityDescriptorControl(descriptor.0, &raw mut control, &raw mut revision))?;
        let inheritance = if control & SE_DACL_PROTECTED == 0 {
            UNPROTECTED_DACL_SECURITY_INFORMATION
        } else {
            PROTECTED_DACL_SECURITY_INFORMATION
        };
        check_code(SetNamedSecurityInfoW(
            to.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | inheritance,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            list,
            std::ptr::null(),
        ))
    }
}

/// Gives everyone all rights to the file at `path`, to test that it is rejected.
#[cfg(test)]
pub(super) fn open_to_everyone(path: &Path) -> io::Result<()> {
    use windows_sys::Win32::Security::GetSecurityDescriptorDacl;
    let (name, descriptor) = (wide(path)?, Descriptor::parse("D:P(A;;FA;;;WD)")?);
    let (mut is_there, mut is_usual, mut list) = (0, 0, std::ptr::null_mut());
    // SAFETY: the name is NUL-terminated; the list points into the descriptor, which outlives the calls.
    unsafe {
        check(GetSecurityDescriptorDacl(descriptor.0, &raw mut is_there, &raw mut list, &raw mut is_usual))?;
        check_code(SetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            list,
            std::ptr::null(),
        ))
    }
}
