// IQ1_M: 16 sub-blocks of 16 values; groups of 8 from a code book of 2048.  w = d·(2s + 1)·(grid ± 1/8)
#pragma once

#include "quant/block.h"
#include "quant/iq1_s.h"

namespace nt {

struct IQ1_M {
  static constexpr int kValues = 256;
  static constexpr int kSub = 16;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 16;

  struct Block {
    uint8_t qs[32];     // low eight bits of the index, one for each 8 values
    uint8_t qh[16];     // nibble a group: 3 upper bits of the index, and the top bit set for −1/8
    uint8_t scales[8];  // u16[4]: 4 × 3 bits of s each, and in the top four bits a nibble of d, the lowest first
  };
  static_assert(sizeof(Block) == 56);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    unsigned d_bits = 0;
    for (int i = 0; i < 4; ++i) d_bits |= static_cast<unsigned>(load_u16(b.scales + 2 * i) >> 12) << 4 * i;
    const float d = half_to_float(static_cast<uint16_t>(d_bits));
    for (int j = 0; j < 16; ++j) {
      const int s = load_u16(b.scales + 2 * (j / 4)) >> 3 * (j % 4) & 7;
      scale[j] = d * static_cast<float>(2 * s + 1) * 0.125f;
    }
    for (int k = 0; k < 32; ++k) {
      const int qh = nibble(b.qh, k);
      put_eighths(kGrids.iq1[b.qs[k] | (qh & 7) << 8], qh & 8 ? -1 : 1, q + 8 * k);
    }
  }
};

}  // namespace nt
