// The files of the AVX-512 level: each fills in its part of the table.
#pragma once

#include "cpu/kernels.h"

namespace nt::cpu {

void init_avx512_matmul(Kernels& k);
void init_avx512_attention(Kernels& k);

}  // namespace nt::cpu
