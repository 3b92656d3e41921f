package dev.nautil.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Dates as C's strftime writes them in the C locale. */
final class Strftime {
  private Strftime() {}

  static Str format(Run run, Str format, Clock clock) {
    ZonedDateTime now = ZonedDateTime.now(clock);
    StrBuilder out = new StrBuilder(run);
    String text = format.text;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '%' || i + 1 == text.length()) {
        out.append(format, i, i + 1);
        continue;
      }
      int start = i++;
      // glibc's flag for no padding; its others are as rare as they are unportable.
      boolean bare = text.charAt(i) == '-' && i + 1 < text.length();
      String value = directive(text.charAt(bare ? ++i : i), now);
      if (value == null) {
        out.append(format, start, i + 1);
      } else {
        out.append(bare ? unpadded(value) : value);
      }
    }
    return out.toStr();
  }

  private static String unpadded(String value) {
    String s = value;
    while (s.length() > 1 && (s.charAt(0) == '0' || s.charAt(0) == ' ')) {
      s = s.substring(1);
    }
    return s;
  }

  private static @Nullable String directive(char c, ZonedDateTime t) {
    Locale locale = Locale.ENGLISH;
    int hour12 = t.getHour() % 12 == 0 ? 12 : t.getHour() % 12;
    int weekday = t.getDayOfWeek().getValue();
    return switch (c) {
      case 'a' -> t.getDayOfWeek().getDisplayName(TextStyle.SHORT, locale);
      case 'A' -> t.getDayOfWeek().getDisplayName(TextStyle.FULL, locale);
      case 'b', 'h' -> t.getMonth().getDisplayName(TextStyle.SHORT, locale);
      case 'B' -> t.getMonth().getDisplayName(TextStyle.FULL, locale);
      case 'c' -> directives("a b e T Y", t);
      case 'C' -> two(t.getYear() / 100);
      case 'd' -> two(t.getDayOfMonth());
      case 'D', 'x' -> two(t.getMonthValue()) + "/" + two(t.getDayOfMonth()) + "/" + two(year2(t));
      case 'e' -> String.format(locale, "%2d", t.getDayOfMonth());
      case 'f' -> String.format(locale, "%06d", t.getNano() / 1000);
      case 'F' -> t.getYear() + "-" + two(t.getMonthValue()) + "-" + two(t.getDayOfMonth());
      case 'g' -> two(t.get(IsoFields.WEEK_BASED_YEAR) % 100);
      case 'G' -> Integer.toString(t.get(IsoFields.WEEK_BASED_YEAR));
      case 'H' -> two(t.getHour());
      case 'I' -> two(hour12);
      case 'j' -> String.format(locale, "%03d", t.getDayOfYear());
      case 'k' -> String.format(locale, "%2d", t.getHour());
      case 'l' -> String.format(locale, "%2d", hour12);
      case 'm' -> two(t.getMonthValue());
      case 'M' -> two(t.getMinute());
      case 'n' -> "\n";
      case 'p' -> t.getHour() < 12 ? "AM" : "PM";
      case 'P' -> t.getHour() < 12 ? "am" : "pm";
      case 'r' -> directives("I:M:S p", t);
      case 'R' -> two(t.getHour()) + ":" + two(t.getMinute());
      case 's' -> Long.toString(t.toEpochSecond());
      case 'S' -> two(t.getSecond());
      case 't' -> "\t";
      case 'T', 'X' -> directives("H:M:S", t);
      case 'u' -> Integer.toString(weekday);
      case 'U' -> two((t.getDayOfYear() + 6 - weekday % 7) / 7);
      case 'V' -> two(t.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
      case 'w' -> Integer.toString(weekday % 7);
      case 'W' -> two((t.getDayOfYear() + 6 - (weekday + 6) % 7) / 7);
      case 'y' -> two(year2(t));
      case 'Y' -> Integer.toString(t.get(ChronoField.YEAR));
      // Python's datetime.now() has no zone.
      case 'z', 'Z' -> "";
      case '%' -> "%";
      default -> null;
    };
  }

  private static int year2(ZonedDateTime t) {
    return t.getYear() % 100;
  }

  /** Letters as directives, everything else as it is. */
  private static String directives(String letters, ZonedDateTime t) {
    StringBuilder out = new StringBuilder();
    for (char c : letters.toCharArray()) {
      out.append(Character.isLetter(c) ? directive(c, t) : String.valueOf(c));
    }
    return out.toString();
  }

  private static String two(int n) {
    return (n < 10 ? "0" : "") + n;
  }
}
