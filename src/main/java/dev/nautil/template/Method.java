package dev.nautil.template;

import java.util.ArrayList;
import java.util.List;

/** A method of a string, list or dict, bound to it. */
record Method(Object self, Function function) implements Callable {
  @Override
  public Object call(Run run, Args args) {
    List<Object> all = new ArrayList<>(args.positional().size() + 1);
    all.add(self);
    all.addAll(args.positional());
    return function.call(run, new Args(all, args.named()));
  }
}
