// AVX-512 VNNI: matrix products of the formats with blocks of 32 values, and IQ4_XS.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512_matmul.h"

namespace nt::cpu {

void init_avx512_matmul_32(Kernels& k) {
  k.matmul[static_cast<int>(Format::Q4_0)] = matmul<Q4_0>;
  k.matmul[static_cast<int>(Format::Q4_1)] = matmul<Q4_1>;
  k.matmul[static_cast<int>(Format::Q5_0)] = matmul<Q5_0>;
  k.matmul[static_cast<int>(Format::Q5_1)] = matmul<Q5_1>;
  k.matmul[static_cast<int>(Format::Q8_0)] = matmul<Q8_0>;
  k.matmul[static_cast<int>(Format::IQ4_NL)] = matmul<IQ4_NL>;
  k.matmul[static_cast<int>(Format::IQ4_XS)] = matmul<IQ4_XS>;
}

}  // namespace nt::cpu
#endif
