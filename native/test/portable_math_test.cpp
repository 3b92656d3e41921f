// exp, log and pow against the C library's long double, to the errors that portable_math.h states.
#include "sampling/portable_math.h"

#include <cmath>

#include "check.h"
#include "hostile.h"

namespace {

constexpr int kTries = test::kEmulated ? 20000 : 300000;

double unit(test::Random& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

double ulps(double got, long double exact) {
  const long double ulp = std::ldexp(1.0L, std::ilogb(exact) - 52);
  return static_cast<double>(std::fabs((static_cast<long double>(got) - exact) / ulp));
}

double worst_exp() {
  test::Random random{3};
  double worst = 0;
  for (int i = 0; i < kTries; ++i) {
    const double scale[] = {1400, 20, 1, 1e-3};
    double x = (unit(random) - 0.5) * scale[i % 4];
    worst = std::max(worst, ulps(nt::portable_exp(x), std::exp(static_cast<long double>(x))));
  }
  return worst;
}

double worst_log() {
  test::Random random{4};
  double worst = 0;
  for (int i = 0; i < kTries; ++i) {
    const int exponent = i % 2 == 0 ? static_cast<int>(random.next() % 2090) - 1070 : static_cast<int>(i % 3) - 1;
    double x = std::ldexp(0.5 + unit(random), exponent);
    if (i % 5 == 0) x = 1 + (unit(random) - 0.5) * std::ldexp(1, -static_cast<int>(random.next() % 50));
    if (x == 1) continue;
    worst = std::max(worst, ulps(nt::portable_log(x), std::log(static_cast<long double>(x))));
  }
  return worst;
}

void pow_is_exact_enough() {
  test::Random random{5};
  for (int i = 0; i < kTries; ++i) {
    const double x = std::ldexp(0.5 + unit(random), static_cast<int>(random.next() % 40) - 20);
    const double y = (unit(random) - 0.5) * 60;
    const long double exact = std::pow(static_cast<long double>(x), static_cast<long double>(y));
    if (std::fabs(std::log(exact)) > 700) continue;
    const double bound = (std::fabs(y * std::log(x)) + 2) * 0x1p-51;
    CHECK(std::fabs(nt::portable_pow(x, y) - exact) <= bound * exact);
  }
}

void special_values() {
  CHECK_EQ(nt::portable_exp(0), 1.0);
  CHECK_EQ(nt::portable_exp(-INFINITY), 0.0);
  CHECK_EQ(nt::portable_exp(-708.5), 0.0);
  CHECK_EQ(nt::portable_exp(INFINITY), HUGE_VAL);
  CHECK_EQ(nt::portable_exp(709.5), HUGE_VAL);
  CHECK(std::isnan(nt::portable_exp(NAN)));
  CHECK_EQ(nt::portable_log(1), 0.0);
  CHECK_EQ(nt::portable_log(0), -HUGE_VAL);
  CHECK_EQ(nt::portable_log(INFINITY), HUGE_VAL);
  CHECK(std::isnan(nt::portable_log(-1)));
  CHECK(std::isnan(nt::portable_log(NAN)));
  CHECK_EQ(nt::portable_pow(0, 0.5), 0.0);
  CHECK_EQ(nt::portable_pow(0, 0), 1.0);
  CHECK_EQ(nt::portable_pow(1, 1e30), 1.0);
  CHECK_EQ(nt::portable_pow(2, 1e9), HUGE_VAL);
}

}  // namespace

int main() {
  CHECK(worst_exp() <= 2);
  CHECK(worst_log() <= 2);
  pow_is_exact_enough();
  special_values();
  return test::result();
}
