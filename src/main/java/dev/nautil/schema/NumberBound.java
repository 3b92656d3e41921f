package dev.nautil.schema;

import java.math.BigDecimal;

/**
 * A bound of numbers.
 *
 * @param upper whether numbers lie below it, else above
 * @param inclusive whether it is within the bounds itself
 */
record NumberBound(BigDecimal value, boolean upper, boolean inclusive) {
  boolean admits(BigDecimal number) {
    int comparison = upper ? number.compareTo(value) : value.compareTo(number);
    return inclusive ? comparison <= 0 : comparison < 0;
  }
}
