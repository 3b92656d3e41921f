// What the formats' headers share: half floats as they lie in a file, and the packed scales of Q4_K and Q5_K.
//
// A format is a struct with kValues, kSub, kHasMin, kBias, its Block and unpack(), which gives integers and scales:
//   value i = scale[i / kSub] · q[i] − min[i / kSub]        (min only where kHasMin)
// Both the float decode and the kernels' tiles are made of these. Blocks are byte-aligned: a file may put them
// anywhere.
#pragma once

#include <cstdint>
#include <cstring>

namespace nt {

struct f16 {
  uint8_t bytes[2];  // little-endian
};

inline uint16_t bits(f16 h) { return static_cast<uint16_t>(h.bytes[0] | h.bytes[1] << 8); }

// Exact; NaN payloads are kept.
inline float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t exponent = h >> 10 & 31, mantissa = h & 1023;
  uint32_t u;
  if (exponent == 31) {
    u = sign | 0x7f800000u | mantissa << 13;
  } else if (exponent != 0) {
    u = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    // A subnormal half is mantissa · 2⁻²⁴, which a float holds exactly.
    const float f = static_cast<float>(mantissa) * 5.9604644775390625e-8f;
    std::memcpy(&u, &f, 4);
    u |= sign;
  }
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}

inline float to_float(f16 h) { return half_to_float(bits(h)); }

// Scale and min of sub-block j of Q4_K and Q5_K: six bits each, the last four pairs split between two bytes.
inline void scale_min_k4(const uint8_t* packed, int j, int* scale, int* min) {
  if (j < 4) {
    *scale = packed[j] & 63;
    *min = packed[j + 4] & 63;
  } else {
    *scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    *min = (packed[j + 4] >> 4) | (packed[j] >> 6) << 4;
  }
}

}  // namespace nt
