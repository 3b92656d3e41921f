package dev.nautil.cli;

import dev.nautil.StoredModel;
import dev.nautil.internal.Sizes;
import java.io.PrintStream;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Models in the columns of Docker Model Runner: one row for each name. */
final class ModelTable {
  private static final List<String> HEAD =
      List.of(
          "MODEL NAME",
          "PARAMETERS",
          "QUANTIZATION",
          "ARCHITECTURE",
          "MODEL ID",
          "CREATED",
          "CONTEXT",
          "SIZE");

  private ModelTable() {}

  static void print(PrintStream out, List<StoredModel> models, Instant now) {
    List<List<String>> rows = new ArrayList<>(List.of(HEAD));
    for (StoredModel model : models) {
      for (String reference : model.references()) {
        rows.add(
            List.of(
                shortName(reference),
                orEmpty(model.parameters()),
                orEmpty(model.quantization()),
                orEmpty(model.architecture()),
                shortId(model),
                age(model.created(), now),
                model.contextSize() == null ? "" : model.contextSize().toString(),
                Sizes.brief(model.bytes())));
      }
    }
    print(out, rows);
  }

  private static void print(PrintStream out, List<List<String>> rows) {
    int[] widths = new int[HEAD.size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
      }
      out.println(line.toString().stripTrailing());
    }
  }

  /** Without what a reference has if nothing else is said. */
  static String shortName(String reference) {
    return reference.replaceFirst("^docker\\.io/", "").replaceFirst(":latest$", "");
  }

  /** The first 12 digits. */
  static String shortId(StoredModel model) {
    return model.id().substring(7, 19);
  }

  private static String orEmpty(@Nullable String value) {
    return value == null ? "" : Printable.brief(value);
  }

  private static String age(@Nullable String created, Instant now) {
    if (created == null) {
      return "";
    }
    try {
      Duration age = Duration.between(OffsetDateTime.parse(created).toInstant(), now);
      long days = age.toDays();
      if (days >= 730) {
        return days / 365 + " years ago";
      }
      if (days >= 60) {
        return days / 30 + " months ago";
      }
      if (days >= 2) {
        return days + " days ago";
      }
      long hours = age.toHours();
      return hours >= 2 ? hours + " hours ago" : Math.max(0, age.toMinutes()) + " minutes ago";
    } catch (DateTimeException e) {
      return Printable.brief(created);
    }
  }
}
