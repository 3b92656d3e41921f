package dev.nautil.template;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A generator: what {@code map}, {@code select} and their kind return. It is lazy and runs once, so
 * that a filter named wrongly fails only where its result is used, as in Python.
 */
final class IterValue implements Iterator<Object> {
  final String typeName;
  final Shape shape;
  private final Iterator<Object> items;

  IterValue(String typeName, Shape shape, Iterator<Object> items) {
    this.typeName = typeName;
    this.shape = shape;
    this.items = items;
  }

  /** A generator over a source value, which counts as one level deeper than the source. */
  static IterValue over(Object source, Iterator<Object> items) {
    // Each level of laziness is a few stack frames when the outermost is read.
    return new IterValue("generator", Shape.of(source).around(), items);
  }

  static IterValue map(Object source, Iterator<Object> items, Function<Object, Object> mapper) {
    return over(
        source,
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return items.hasNext();
          }

          @Override
          public Object next() {
            return mapper.apply(items.next());
          }
        });
  }

  /** Looks for the next match only when asked for it. */
  static final class Filtered implements Iterator<Object> {
    private final Iterator<Object> items;
    private final Predicate<Object> test;
    private Object ahead = None.NONE;
    private boolean hasAhead;

    Filtered(Iterator<Object> items, Predicate<Object> test) {
      this.items = items;
      this.test = test;
    }

    @Override
    public boolean hasNext() {
      while (!hasAhead && items.hasNext()) {
        ahead = items.next();
        hasAhead = test.test(ahead);
      }
      return hasAhead;
    }

    @Override
    public Object next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      hasAhead = false;
      return ahead;
    }
  }

  @Override
  public boolean hasNext() {
    return items.hasNext();
  }

  @Override
  public Object next() {
    return items.next();
  }
}
