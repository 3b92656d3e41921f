package dev.nautil.template;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Python's stable sort. Java's own throws where an order contradicts itself, as that of floats with
 * NaN does.
 */
final class Sort {
  private Sort() {}

  static <T> List<T> sorted(Run run, List<T> items, Function<T, Object> key, boolean reverse) {
    run.items(3L * items.size());
    List<Keyed<T>> keyed = new ArrayList<>(items.size());
    for (T item : items) {
      keyed.add(new Keyed<>(key.apply(item), item));
    }
    return merge(run, keyed, reverse).stream().map(Keyed::item).toList();
  }

  private record Keyed<T>(Object key, T item) {}

  private static <T> List<Keyed<T>> merge(Run run, List<Keyed<T>> items, boolean reverse) {
    if (items.size() < 2) {
      return items;
    }
    int middle = items.size() / 2;
    List<Keyed<T>> left = merge(run, items.subList(0, middle), reverse);
    List<Keyed<T>> right = merge(run, items.subList(middle, items.size()), reverse);
    List<Keyed<T>> all = new ArrayList<>(items.size());
    int i = 0;
    int j = 0;
    while (i < left.size() && j < right.size()) {
      run.step();
      Object a = left.get(i).key;
      Object b = right.get(j).key;
      boolean rightFirst = reverse ? Ops.less(run, a, b) : Ops.less(run, b, a);
      all.add(rightFirst ? right.get(j++) : left.get(i++));
    }
    all.addAll(left.subList(i, left.size()));
    all.addAll(right.subList(j, right.size()));
    return all;
  }
}
