#pragma once

// Before loops over arrays of vectors that are to live in registers: GCC unrolls late, and leaves an array behind.
#if defined(_MSC_VER) && !defined(__clang__)
#define NT_UNROLL
#else
#define NT_UNROLL _Pragma("GCC unroll 16")
#endif
