// The exponential function of sampling, in a form that compilers make vectors of. With internal linkage, since each
// instruction set's kernels have their own.
#pragma once

#include <cstdint>
#include <cstring>

namespace nt {
namespace {

// ln 2 in two parts, so that k · kLn2High is exact for every exponent k.
constexpr double kLn2High = 0x1.62e42fefa3800p-1, kLn2Low = 0x1.ef35793c76730p-45;
constexpr double kLeastExponent = -708, kMostExponent = 709;  // where eˣ is a normal number

// eˣ to within 2 ulp for x in [kLeastExponent, kMostExponent]. No branch and no call.
inline double exp_in_range(double x) {
  // x = k·ln 2 + r, |r| ≤ ln 2 / 2. Adding 1.5·2⁵² rounds to an integer, which the low bits of the sum then are.
  constexpr double kRound = 0x1.8p52;
  const double shifted = x * 1.4426950408889634 + kRound;
  const double k = shifted - kRound;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  // (eʳ − 1 − r) / r² by the polynomial of degree 9 that is right at ten points of |r| ≤ ln 2 / 2, Chebyshev's; eʳ then
  // is within 2⁻⁵⁵. Even and odd powers apart, so that they do not wait for each other.
  const double s = r * r;
  double even = 0x1.28917c89a43a7p-22, odd = 0x1.af389ecfc4b9cp-26;
  even = even * s + 0x1.a019b9149a41cp-16;
  odd = odd * s + 0x1.71de0db2f6b19p-19;
  even = even * s + 0x1.6c16c17889ef1p-10;
  odd = odd * s + 0x1.a01a01a7c2efep-13;
  even = even * s + 0x1.5555555553d68p-5;
  odd = odd * s + 0x1.11111111109b5p-7;
  even = even * s + 0x1.0000000000001p-1;
  odd = odd * s + 0x1.5555555555556p-3;
  double e = 1 + (r + s * (even + r * odd));
  uint64_t bits, exponent;
  std::memcpy(&bits, &e, sizeof bits);
  std::memcpy(&exponent, &shifted, sizeof exponent);
  bits += exponent << 52;  // e · 2ᵏ
  std::memcpy(&e, &bits, sizeof e);
  return e;
}

}  // namespace
}  // namespace nt
