// Q5_K: 8 sub-blocks of 32 values; 5-bit q, 6-bit scale and min a sub-block.  w = d·s·q − dmin·m
#pragma once

#include "quant/block.h"

namespace nt {

struct Q5_K {
  static constexpr int kValues = 256;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = true;
  static constexpr int kBias = 0;

  struct Block {
    f16 d, dmin;
    uint8_t scales[12];  // as in Q4_K: see scale_min_k4()
    uint8_t qh[32];      // value 32j + l: bit j of byte l is the fifth bit of q
    uint8_t qs[128];     // bytes 32g…32g+31: low nibbles sub-block 2g, high nibbles 2g+1
  };
  static_assert(sizeof(Block) == 176);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float* min) {
    const float d = to_float(b.d), dmin = to_float(b.dmin);
    for (int j = 0; j < 8; ++j) {
      int s, m;
      scale_min_k4(b.scales, j, &s, &m);
      scale[j] = d * static_cast<float>(s);
      min[j] = dmin * static_cast<float>(m);
      const uint8_t* qs = b.qs + 32 * (j / 2);
      for (int l = 0; l < 32; ++l) {
        const int low = qs[l] >> 4 * (j % 2) & 15, high = b.qh[l] >> j & 1;
        q[32 * j + l] = static_cast<int8_t>(low | high << 4);
      }
    }
  }
};

}  // namespace nt
