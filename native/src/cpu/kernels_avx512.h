// The files of the AVX-512 level: each fills in its part of the table.
#pragma once

#include <immintrin.h>

#include "cpu/kernels.h"
#include "cpu/unroll.h"

namespace nt::cpu {

void init_avx512_matmul_k(Kernels& k);
void init_avx512_matmul_32(Kernels& k);
void init_avx512_matmul_iq(Kernels& k);
void init_avx512_matmul_float(Kernels& k);
void init_avx512_attention(Kernels& k);
void init_avx512_attention_q8(Kernels& k);

namespace {

// The first n of 16 lanes; all for n ≥ 16, none for n ≤ 0.
inline __mmask16 first_lanes(int n) {
  return n >= 16  ? static_cast<__mmask16>(0xffff)
         : n <= 0 ? static_cast<__mmask16>(0)
                  : static_cast<__mmask16>((1u << n) - 1);
}

}  // namespace

}  // namespace nt::cpu
