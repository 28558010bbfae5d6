//! The progress of the run: the bar in the last line of the terminal, and the signals that arrived.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hatbox_types::text::printable;

use super::batch::End;
use super::worker::{Shared, held};
use crate::bar::Bar;
use crate::output::CalledAs;
use crate::sys::job::{Asked, Delivery, Watch};

/// Shorter runs need no progress bar.
const BAR_AFTER: Duration = Duration::from_millis(300);
/// How long to wait for killed commands to end.
const KILLED_LIMIT: Duration = Duration::from_secs(2);

/// The progress as the main thread sees it.
pub(super) struct Progress {
    begun: Instant,
    total: usize,
    pub(super) ends: BTreeMap<usize, End>,
    pub(super) bar: Option<Bar>,
    /// The first signal that asked hatbox to end.
    pub(super) signal: Option<i32>,
    killed_at: Option<Instant>,
}

impl Progress {
    pub(super) fn new(shared: &Shared, total: usize) -> Self {
        // Called as `aws-vault`, hatbox draws nothing between its lines.
        let bar = (shared.world.output.called_as() == CalledAs::Hatbox).then(Bar::start).flatten();
        Self { begun: Instant::now(), total, ends: BTreeMap::new(), bar, signal: None, killed_at: None }
    }

    pub(super) fn take_signals(&mut self, shared: &Shared, watch: &Watch) {
        while let Some(asked) = watch.take() {
            match (asked, self.signal) {
                (Asked::Pause, _) => {
                    shared.send_all(Delivery::Pause);
                    if let Some(bar) = &self.bar {
                        bar.clear();
                    }
                    watch.pause();
                    shared.send_all(Delivery::Continue);
                }
                (Asked::End(number), None) => {
                    self.signal = Some(number);
                    // The terminal prints `^C` into the bar's line.
                    if let Some(bar) = &self.bar {
                        bar.clear();
                    }
                    if shared.stop(Delivery::End(number)) > 0 {
                        shared.world.output.note("stopping the commands; Ctrl-C again kills them");
                    }
                }
                (Asked::End(_), Some(_)) => {
                    shared.stop(Delivery::Kill);
                    self.killed_at.get_or_insert_with(Instant::now);
                }
            }
        }
    }

    /// Whether to stop waiting: no command is running, or killed ones take too long. Workers that obtain credentials
    /// are not waited for.
    pub(super) fn is_given_up(&self, shared: &Shared) -> bool {
        let is_idle = shared.active.load(Ordering::SeqCst) == 0;
        self.signal.is_some()
            && (is_idle || self.killed_at.is_some_and(|killed| killed.elapsed() > KILLED_LIMIT))
    }

    pub(super) fn show(&self, shared: &Shared) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.begun.elapsed() >= BAR_AFTER) else { return };
        let failed = self.ends.values().filter(|end| !end.is_success()).count();
        let running: Vec<_> = held(&shared.running).values().map(|running| running.profile.clone()).collect();
        bar.set(&render_progress(self.ends.len(), self.total, failed, &running));
    }
}

/// `[######------] 12 of 200, 3 failed: prod-a, prod-b`
fn render_progress(done: usize, total: usize, failed: usize, running: &[String]) -> String {
    const WIDTH: usize = 16;
    let filled = done * WIDTH / total.max(1);
    let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '-' }).collect();
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let running = if running.is_empty() { String::new() } else { format!(": {}", running.join(", ")) };
    printable(&format!("[{bar}] {done} of {total}{failed}{running}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far_the_work_is() {
        let running = ["prod-a", "prod-b\n"].map(str::to_owned);
        assert_eq!(render_progress(0, 4, 0, &[]), "[----------------] 0 of 4");
        assert_eq!(
            render_progress(2, 4, 1, &running),
            "[########--------] 2 of 4, 1 failed: prod-a, prod-b\\n"
        );
        assert_eq!(render_progress(4, 4, 0, &[]), "[################] 4 of 4");
    }
}
