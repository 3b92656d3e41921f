// Assertions for tests. A failure prints where and what and the test goes on; main returns test::result().
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include "error.h"

namespace test {

// Under an emulator, where arithmetic takes a hundred times as long, tests try fewer or smaller cases.
#ifdef NT_TEST_EMULATED
constexpr bool kEmulated = true;
#else
constexpr bool kEmulated = false;
#endif

inline int failures = 0;

inline void fail(const char* file, int line, const std::string& what) {
  ++failures;
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
}

// What main returns.
inline int result() {
  if (failures != 0) std::fprintf(stderr, "%d checks failed\n", failures);
  return failures == 0 ? 0 : 1;
}

template <class T>
std::string show(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return "\"" + std::string(std::string_view(value)) + "\"";
  } else if constexpr (std::is_floating_point_v<T>) {
    return nt::format("%.17g", static_cast<double>(value));
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_pointer_v<T>) {
    return value == nullptr ? "nullptr" : "a pointer";
  } else {
    return "a value";
  }
}

template <class A, class B>
bool equal(const A& a, const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    // As integers, not after C's conversions: -1 is no large unsigned number.
    return (a < A{}) == (b < B{}) &&
           static_cast<std::common_type_t<A, B>>(a) == static_cast<std::common_type_t<A, B>>(b);
  } else {
    return a == b;
  }
}

template <class A, class B>
void check_equal(const char* file, int line, const char* text, const A& a, const B& b) {
  if (!equal(a, b)) fail(file, line, std::string(text) + ": " + show(a) + " and " + show(b));
}

// Runs f, which must throw an nt::Error of this status whose message contains `part`.
template <class F>
void check_throws(const char* file, int line, const char* text, nt_status status, std::string_view part, F f) {
  try {
    f();
  } catch (const nt::Error& e) {
    if (e.status != status || e.message.find(part) == std::string::npos) {
      fail(file, line, nt::format("%s: status %d, \"%s\"", text, e.status, e.message.c_str()));
    }
    return;
  }
  fail(file, line, std::string(text) + ": nothing was thrown");
}

}  // namespace test

#define CHECK(condition) ((condition) ? static_cast<void>(0) : test::fail(__FILE__, __LINE__, "not true: " #condition))
#define CHECK_EQ(a, b) test::check_equal(__FILE__, __LINE__, #a " == " #b, a, b)
#define CHECK_THROWS(expression, status, part) \
  test::check_throws(__FILE__, __LINE__, #expression, status, part, [&] { static_cast<void>(expression); })
