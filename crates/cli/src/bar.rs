//! A line at the bottom of the terminal that shows the progress. It makes way for other output and is redrawn below it.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use hatbox_types::text::wrap::display_width;

use crate::sys::terminal::stderr_columns;

/// Whether there is a bar, which avoids further checks if not.
static IS_ON: AtomicBool = AtomicBool::new(false);
/// The text of the bar; empty before it is set.
static TEXT: Mutex<String> = Mutex::new(String::new());

/// The bar, which exists until it is dropped.
#[derive(Debug)]
pub(crate) struct Bar(());

impl Bar {
    /// Starts a bar, if stderr is a terminal that can erase. Draws nothing yet.
    pub(crate) fn start() -> Option<Self> {
        let can_erase = std::env::var_os("TERM").is_some_and(|term| term != "dumb" && !term.is_empty());
        if !io::stderr().is_terminal() || !can_erase || IS_ON.swap(true, Ordering::SeqCst) {
            return None;
        }
        Some(Self(()))
    }

    /// Draws the bar with a new text, or leaves that to the next time if another thread is writing.
    #[expect(clippy::unused_self, reason = "only who has the bar may change it")]
    pub(crate) fn set(&self, text: &str) {
        let Ok(mut shown) = TEXT.try_lock() else { return };
        if *shown != text {
            text.clone_into(&mut shown);
            draw(&shown);
        }
    }

    /// Erases the bar until it is set again, with what the terminal has echoed into its line.
    #[expect(clippy::unused_self, reason = "only who has the bar may change it")]
    pub(crate) fn clear(&self) {
        let Ok(mut shown) = TEXT.try_lock() else { return };
        write!(io::stderr(), "\r\x1b[K").ok();
        shown.clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let mut shown = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
        erase(&shown);
        shown.clear();
        IS_ON.store(false, Ordering::SeqCst);
    }
}

/// Whether there is a bar.
pub(crate) fn is_on() -> bool {
    IS_ON.load(Ordering::SeqCst)
}

/// Writes to the terminal above the bar.
pub(crate) fn without_bar<T>(write: impl FnOnce() -> T) -> T {
    if !is_on() {
        return write();
    }
    let shown = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
    erase(&shown);
    let done = write();
    draw(&shown);
    done
}

fn erase(text: &str) {
    if !text.is_empty() {
        write!(io::stderr(), "\r\x1b[K").ok();
    }
}

fn draw(text: &str) {
    if text.is_empty() {
        return;
    }
    // One column stays free, as some terminals wrap a full line.
    let room = stderr_columns().unwrap_or(80).saturating_sub(1);
    write!(io::stderr(), "\r{}\x1b[K", start_of(text, room)).ok();
}

/// Returns the start of a text that fits into the columns.
fn start_of(text: &str, columns: usize) -> &str {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let fits = |end: &usize| text.get(..*end).is_some_and(|start| display_width(start) <= columns);
    let end = ends.take_while(fits).last().unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_its_width() {
        for (text, columns, start) in
            [("abc", 5, "abc"), ("abcdef", 4, "abcd"), ("漢字漢字", 5, "漢字"), ("", 3, "")]
        {
            assert_eq!(start_of(text, columns), start);
        }
    }
}
