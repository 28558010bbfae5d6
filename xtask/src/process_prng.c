/* bcryptprimitives.dll for Wine before 9, which lacks the function: random bytes, as Windows's own gives. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T length) {
    return RtlGenRandom(bytes, (ULONG)length);
}
