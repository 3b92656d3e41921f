package dev.nautil.template;

import dev.nautil.template.Callable.Args;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The filters on sequences and mappings; those that jinja2 makes generators are lazy here too. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void register() {
    Filters.filter("length", "/obj", (run, a) -> length(a[0]));
    Filters.filter("list", "value", (run, a) -> new Seq.ListValue(Ops.list(run, a[0])));
    Filters.filter("first", "seq", (run, a) -> first(run, a[0]));
    Filters.filter("last", "seq", (run, a) -> last(run, a[0]));
    Filters.filter("reverse", "value", (run, a) -> reverse(run, a[0]));
    Filters.filter("join", "value d= attribute=", SequenceFilters::join);
    Filters.filter("items", "value", (run, a) -> items(a[0]));
    Filters.filter("dictsort", "value case_sensitive= by= reverse=", SequenceFilters::dictSort);
    Filters.filter("sort", "value reverse= case_sensitive= attribute=", SequenceFilters::sort);
    Filters.filter("unique", "value case_sensitive= attribute=", SequenceFilters::unique);
    Filters.filter("min", "value case_sensitive= attribute=", (run, a) -> extreme(run, a, false));
    Filters.filter("max", "value case_sensitive= attribute=", (run, a) -> extreme(run, a, true));
    Filters.filter("sum", "iterable attribute= start=", SequenceFilters::sum);
    Filters.filter("batch", "value linecount fill_with=", SequenceFilters::batch);
    Filters.filter("slice", "value slices fill_with=", SequenceFilters::slice);
    Filters.filter("groupby", "value attribute default= case_sensitive=", SequenceFilters::groupBy);
    Filters.ALL.put("map", new Function("map", SequenceFilters::map));
    select("select", true, false);
    select("reject", false, false);
    select("selectattr", true, true);
    select("rejectattr", false, true);
  }

  private static boolean flag(@Nullable Object o) {
    return o != null && Ops.truth(o);
  }

  private static Object length(Object o) {
    long n = Ops.knownLength(o);
    if (n < 0) {
      throw new Fail("object of type '" + Types.name(o) + "' has no len()");
    }
    return n;
  }

  private static Object first(Run run, Object o) {
    Iterator<Object> items = Ops.iterate(run, o);
    return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
  }

  private static Object last(Run run, Object o) {
    if (o instanceof Str s && !s.isEmpty()) {
      return Access.item(run, s, -1L);
    }
    if (o instanceof Seq s && !s.isEmpty()) {
      return s.get(s.size() - 1);
    }
    requireLength(o, "' object is not reversible");
    Object last = new Undefined("No last item, sequence was empty.");
    for (Iterator<Object> items = Ops.iterate(run, o); items.hasNext(); ) {
      last = items.next();
    }
    return last;
  }

  private static void requireLength(Object o, String otherwise) {
    if (Ops.knownLength(o) < 0) {
      throw new Fail("'" + Types.name(o) + otherwise);
    }
  }

  private static Object reverse(Run run, Object o) {
    if (o instanceof Str s) {
      return Access.slice(run, s, None.NONE, None.NONE, -1L);
    }
    if (!Ops.isIterable(o)) {
      throw new Fail("argument must be iterable");
    }
    List<Object> items = Ops.list(run, o);
    Collections.reverse(items);
    if (o instanceof IterValue) {
      return new Seq.ListValue(items);
    }
    return new IterValue("reversed", Shape.of(o).around(), items.iterator());
  }

  private static Object join(Run run, @Nullable Object[] a) {
    Str separator = a[1] == null ? Str.EMPTY : Text.str(run, a[1]);
    Key attribute = a[2] == null || a[2] instanceof None ? item -> item : key(run, a[2], null);
    StrBuilder out = new StrBuilder(run);
    Iterator<Object> items = Ops.iterate(run, a[0]);
    for (boolean first = true; items.hasNext(); first = false) {
      Str item = Text.str(run, attribute.of(items.next()));
      if (!first) {
        out.append(separator);
      }
      out.append(item);
    }
    return out.toStr();
  }

  private static Object items(Object o) {
    Iterator<Object> items =
        o instanceof DictValue d
            ? new DictView(d, DictView.Kind.ITEMS).iterator()
            : Collections.emptyIterator();
    if (!(o instanceof DictValue) && !(o instanceof Undefined)) {
      items =
          new IterValue.Filtered(
              List.<Object>of(None.NONE).iterator(),
              x -> {
                throw new Fail("Can only get item pairs from a mapping.");
              });
    }
    return IterValue.over(o, items);
  }

  // ---- keys

  /** What an element is sorted, grouped or selected by. */
  interface Key {
    Object of(Object item);
  }

  /** An attribute by its path: {@code a.b.0}. */
  private static Key key(Run run, Object attribute, @Nullable Object otherwise) {
    List<Object> path = new ArrayList<>();
    if (attribute instanceof Str s) {
      for (String part : s.text.split("\\.", -1)) {
        boolean number =
            !part.isEmpty() && part.length() < 18 && part.chars().allMatch(Chars::isDecimal);
        path.add(number ? (Object) Long.parseLong(part) : Str.plain(part));
      }
    } else if (!(attribute instanceof None)) {
      path.add(attribute);
    }
    return item -> {
      Object value = item;
      for (Object part : path) {
        value = Access.item(run, value, part);
        if (value instanceof Undefined && otherwise != null && !(otherwise instanceof None)) {
          value = otherwise;
        }
      }
      return value;
    };
  }

  private static Key key(
      Run run, @Nullable Object attribute, @Nullable Object otherwise, boolean caseSensitive) {
    Key plain = key(run, attribute == null ? None.NONE : attribute, otherwise);
    return caseSensitive ? plain : item -> folded(run, plain.of(item));
  }

  private static Object folded(Run run, Object value) {
    return value instanceof Str s ? StringMethods.lower(run, s) : value;
  }

  /** Several attributes, separated by commas, as a list. */
  private static Key keys(Run run, @Nullable Object attribute, boolean caseSensitive) {
    List<Key> keys = new ArrayList<>();
    if (attribute instanceof Str s) {
      for (String part : s.text.split(",", -1)) {
        keys.add(key(run, Str.plain(part), null, caseSensitive));
      }
    } else {
      keys.add(key(run, attribute, null, caseSensitive));
    }
    return item -> new Seq.ListValue(keys.stream().map(k -> k.of(item)).toList());
  }

  // ---- order

  private static Object dictSort(Run run, @Nullable Object[] a) {
    if (!(a[0] instanceof DictValue dict)) {
      if (a[0] instanceof Undefined u) {
        throw u.fail();
      }
      throw new Fail("'" + Types.name(a[0]) + "' object has no attribute 'items'");
    }
    String by = a[2] == null ? "key" : Text.str(run, a[2]).text;
    if (!by.equals("key") && !by.equals("value")) {
      throw new Fail("You can only sort by either \"key\" or \"value\"");
    }
    int position = by.equals("key") ? 0 : 1;
    boolean caseSensitive = flag(a[1]);
    List<Object> pairs = Ops.list(run, new DictView(dict, DictView.Kind.ITEMS));
    return new Seq.ListValue(
        Sort.sorted(
            run,
            pairs,
            pair -> {
              Object value = ((Seq) pair).get(position);
              return caseSensitive ? value : folded(run, value);
            },
            flag(a[3])));
  }

  private static Object sort(Run run, @Nullable Object[] a) {
    Key key = keys(run, a[3], flag(a[2]));
    return new Seq.ListValue(Sort.sorted(run, Ops.list(run, a[0]), key::of, flag(a[1])));
  }

  private static Object unique(Run run, @Nullable Object[] a) {
    Key key = key(run, a[2], null, flag(a[1]));
    Set<Object> seen = new HashSet<>();
    return IterValue.over(
        a[0],
        new Lazy(
            () ->
                new IterValue.Filtered(
                    Ops.iterate(run, a[0]),
                    item -> {
                      run.items(4);
                      return seen.add(DictValue.hashKey(key.of(item)));
                    })));
  }

  private static Object extreme(Run run, @Nullable Object[] a, boolean max) {
    Key key = key(run, a[2], null, flag(a[1]));
    Iterator<Object> items = Ops.iterate(run, a[0]);
    if (!items.hasNext()) {
      return new Undefined("No aggregated item, sequence was empty.");
    }
    Object best = items.next();
    Object bestKey = key.of(best);
    while (items.hasNext()) {
      Object item = items.next();
      Object k = key.of(item);
      Expr.Comparison op = max ? Expr.Comparison.GT : Expr.Comparison.LT;
      if (Ops.compare(run, op, k, bestKey)) {
        best = item;
        bestKey = k;
      }
    }
    return best;
  }

  private static Object sum(Run run, @Nullable Object[] a) {
    Object total = a[2] == null ? (Object) 0L : a[2];
    if (total instanceof Str) {
      throw new Fail("sum() can't sum strings");
    }
    Key key = key(run, a[1] == null ? None.NONE : a[1], null);
    for (Iterator<Object> items = Ops.iterate(run, a[0]); items.hasNext(); ) {
      total = Ops.arithmetic(run, Expr.Op.ADD, total, key.of(items.next()));
    }
    return total;
  }

  // ---- groups

  private static Object batch(Run run, @Nullable Object[] a) {
    return IterValue.over(a[0], new Lazy(() -> batches(run, a)));
  }

  private static Iterator<Object> batches(Run run, @Nullable Object[] a) {
    Iterator<Object> items = Ops.iterate(run, a[0]);
    long size = Numbers.index(a[1], "linecount");
    Object fill = a[2];
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return items.hasNext();
      }

      @Override
      public Object next() {
        List<Object> row = new ArrayList<>();
        // A size of zero or less never matches a row's: everything is one row.
        while (items.hasNext() && (row.isEmpty() || row.size() != size)) {
          run.items(1);
          row.add(items.next());
        }
        if (fill != null && !(fill instanceof None) && row.size() < size) {
          run.items(size - row.size());
          row.addAll(Collections.nCopies((int) size - row.size(), fill));
        }
        return new Seq.ListValue(row);
      }
    };
  }

  private static Object slice(Run run, @Nullable Object[] a) {
    return IterValue.over(a[0], new Lazy(() -> slices(run, a)));
  }

  private static Iterator<Object> slices(Run run, @Nullable Object[] a) {
    List<Object> all = Ops.list(run, a[0]);
    long slices = Numbers.index(a[1], "slices");
    if (slices == 0) {
      throw new Fail("integer division or modulo by zero");
    }
    Object fill = a[2];
    List<Object> result = new ArrayList<>();
    run.items(Math.max(0, slices));
    int from = 0;
    for (long i = 0; i < slices; i++) {
      boolean extra = i < all.size() % slices;
      int to = (int) (from + all.size() / slices + (extra ? 1 : 0));
      List<Object> part = new ArrayList<>(all.subList(from, to));
      if (fill != null && !(fill instanceof None) && !extra) {
        part.add(fill);
      }
      result.add(new Seq.ListValue(part));
      from = to;
    }
    return result.iterator();
  }

  private static Object groupBy(Run run, @Nullable Object[] a) {
    boolean caseSensitive = flag(a[3]);
    Key key = key(run, a[1], a[2], caseSensitive);
    Key shown = key(run, a[1], a[2]);
    List<Object> sorted = Sort.sorted(run, Ops.list(run, a[0]), key::of, false);
    List<Object> groups = new ArrayList<>();
    int from = 0;
    for (int i = 1; i <= sorted.size(); i++) {
      boolean ends =
          i == sorted.size() || !Ops.equal(run, key.of(sorted.get(i)), key.of(sorted.get(from)));
      if (ends) {
        run.items(4);
        Seq.ListValue group = new Seq.ListValue(List.copyOf(sorted.subList(from, i)));
        groups.add(new Seq.GroupValue(shown.of(group.get(0)), group));
        from = i;
      }
    }
    return new Seq.ListValue(groups);
  }

  // ---- map and select

  private static Object map(Run run, Args args) {
    Object source = args.positional().get(0);
    if (!Ops.truth(source)) {
      return IterValue.over(source, Collections.emptyIterator());
    }
    return IterValue.over(source, new Lazy(() -> mapped(run, source, args)));
  }

  private static Iterator<Object> mapped(Run run, Object source, Args args) {
    Iterator<Object> items = Ops.iterate(run, source);
    List<Object> rest = args.positional().subList(1, args.positional().size());
    if (rest.isEmpty() && args.named().containsKey("attribute")) {
      Map<String, Object> left = new LinkedHashMap<>(args.named());
      Object attribute = left.remove("attribute");
      Key key = key(run, attribute, left.remove("default"));
      if (!left.isEmpty()) {
        throw new Fail("Unexpected keyword argument '" + left.keySet().iterator().next() + "'");
      }
      return IterValue.map(source, items, key::of);
    }
    if (rest.isEmpty()) {
      throw new Fail("map requires a filter argument");
    }
    Function filter = named(Filters.ALL, "filter", rest.get(0));
    return IterValue.map(
        source, items, item -> call(run, filter, item, rest.subList(1, rest.size()), args.named()));
  }

  private static Function named(Map<String, Function> functions, String kind, Object name) {
    Function function = name instanceof Str s ? functions.get(s.text) : null;
    if (function == null) {
      throw new Fail("No " + kind + " named '" + Text.brief(name) + "'");
    }
    return function;
  }

  private static Object call(
      Run run, Function function, Object item, List<Object> rest, Map<String, Object> named) {
    List<Object> all = new ArrayList<>(rest.size() + 1);
    all.add(item);
    all.addAll(rest);
    return function.call(run, new Args(all, named));
  }

  private static void select(String name, boolean keep, boolean byAttribute) {
    Filters.ALL.put(
        name,
        new Function(
            name,
            (run, args) -> {
              Object source = args.positional().get(0);
              if (!Ops.truth(source)) {
                return IterValue.over(source, Collections.emptyIterator());
              }
              return IterValue.over(
                  source, new Lazy(() -> selected(run, source, args, keep, byAttribute)));
            }));
  }

  private static Iterator<Object> selected(
      Run run, Object source, Args args, boolean keep, boolean byAttribute) {
    List<Object> rest = args.positional().subList(1, args.positional().size());
    Key key = item -> item;
    if (byAttribute) {
      if (rest.isEmpty()) {
        throw new Fail("Missing parameter for attribute name");
      }
      key = key(run, rest.get(0), null);
      rest = rest.subList(1, rest.size());
    }
    Function test = rest.isEmpty() ? null : named(Predicates.ALL, "test", rest.get(0));
    List<Object> arguments = rest.isEmpty() ? rest : rest.subList(1, rest.size());
    Key of = key;
    return new IterValue.Filtered(
        Ops.iterate(run, source),
        item -> {
          Object value = of.of(item);
          Object result = test == null ? value : call(run, test, value, arguments, args.named());
          return Ops.truth(result) == keep;
        });
  }

  /** An iterator that is made when first asked, as the body of a generator is. */
  private static final class Lazy implements Iterator<Object> {
    private final Supplier<Iterator<Object>> maker;
    private @Nullable Iterator<Object> made;

    Lazy(Supplier<Iterator<Object>> maker) {
      this.maker = maker;
    }

    private Iterator<Object> made() {
      if (made == null) {
        made = maker.get();
      }
      return made;
    }

    @Override
    public boolean hasNext() {
      return made().hasNext();
    }

    @Override
    public Object next() {
      return made().next();
    }
  }
}
