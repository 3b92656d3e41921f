// exp, log and pow from additions, multiplications and divisions alone, so that no two platforms or compilers differ: a
// C library rounds its own as it likes, and a draw that falls on the other side of a boundary is another text.
#pragma once

namespace nt {

// eˣ to within 2 ulp; 0 below −708, infinite above 709.
double portable_exp(double x);

// ln x to within 2 ulp; −infinity for 0, NaN below.
double portable_log(double x);

// xʸ for x ≥ 0, to within a relative error of (|y ln x| + 2) · 2⁻⁵¹.
double portable_pow(double x, double y);

}  // namespace nt
