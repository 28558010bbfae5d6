"""Runs a program with a new controlling terminal, while its stdin, stdout and stderr are elsewhere, and answers one
question on that terminal: on_terminal.py QUESTION ANSWER PROGRAM ARGUMENTS..."""
import os, pty, subprocess, sys, fcntl, termios, select, time

question, answer, *words = sys.argv[1:]
master, slave = pty.openpty()


def take_terminal():
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         preexec_fn=take_terminal, pass_fds=[slave])
shown, is_answered, end = b"", False, time.monotonic() + 50
while child.poll() is None and time.monotonic() < end:
    if select.select([master], [], [], 0.05)[0]:
        shown += os.read(master, 4096)
    if not is_answered and question.encode() in shown:
        os.write(master, answer.encode() + b"\r")
        is_answered = True
child.kill()
out, err = child.communicate()
sys.stdout.buffer.write(out)
sys.stderr.buffer.write(err)
if not is_answered:
    sys.exit("it was not asked: %r" % shown)
sys.exit(child.returncode)
