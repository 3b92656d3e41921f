// Q4_K: 8 sub-blocks of 32 values; 4-bit q, 6-bit scale and min a sub-block.  w = d·s·q − dmin·m
#pragma once

#include "quant/block.h"

namespace nt {

struct Q4_K {
  static constexpr int kValues = 256;
  static constexpr int kSub = 32;        // values that share a scale
  static constexpr bool kHasMin = true;  // w = scale·q − min, else w = scale·q
  static constexpr int kBias = 0;        // q + kBias fits in uint8_t

  struct Block {
    f16 d, dmin;
    uint8_t scales[12];  // bytes 0–3: s0–s3, 4–7: m0–m3 in the low six bits; see scale_min_k4()
    uint8_t qs[128];     // bytes 32g…32g+31: low nibbles sub-block 2g, high nibbles 2g+1
  };
  static_assert(sizeof(Block) == 144);

  // q: 256 integers; scale, min: 8 floats.
  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float* min) {
    const float d = to_float(b.d), dmin = to_float(b.dmin);
    for (int j = 0; j < 8; ++j) {
      int s, m;
      scale_min_k4(b.scales, j, &s, &m);
      scale[j] = d * static_cast<float>(s);
      min[j] = dmin * static_cast<float>(m);
      const uint8_t* qs = b.qs + 32 * (j / 2);
      for (int l = 0; l < 32; ++l) q[32 * j + l] = static_cast<int8_t>(j % 2 ? qs[l] >> 4 : qs[l] & 15);
    }
  }
};

}  // namespace nt
