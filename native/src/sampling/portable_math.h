// exp, log and pow from additions, multiplications and divisions alone, so that no two platforms or compilers differ: a
// C library rounds its own as it likes, and a draw that falls on the other side of a boundary is another text.
#pragma once

#include <cstddef>

namespace nt {

// eˣ to within 2 ulp; 0 below −708, infinite above 709.
double portable_exp(double x);

// ln x to within 2 ulp; −infinity for 0, NaN below.
double portable_log(double x);

// xʸ for x ≥ 0, to within a relative error of (|y ln x| + 2) · 2⁻⁵¹.
double portable_pow(double x, double y);

// out[i] = portable_exp(x[i] − max), where no x[i] is above max. The scalar level of cpu::Kernels::exp_below.
void portable_exp_below(const double* x, size_t n, double max, double* out);

}  // namespace nt
