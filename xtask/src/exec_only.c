/* The minimum that a replacement for `hatbox exec` can do: execute its arguments. */
#include <unistd.h>

int main(int count, char **words) {
    (void)count;
    execv(words[1], words + 1);
    return 127;
}
