// AVX-VNNI: EVEX encoding, 256 bits wide.
#if defined(__x86_64__) || defined(_M_X64)
#define NT_DPBUSD _mm256_dpbusd_epi32
#include "cpu/kernels_avx_vnni.h"

namespace nt::cpu {

void init_avx_vnni_evex(Kernels& k) { init(k); }

}  // namespace nt::cpu
#endif
