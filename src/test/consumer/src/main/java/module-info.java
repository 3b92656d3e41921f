module consumer {
  requires dev.nautil;
}
