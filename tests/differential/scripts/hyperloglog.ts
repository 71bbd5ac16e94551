/** HyperLogLog: replies, and with GET the very bytes. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

/** Strings that are no HyperLogLog, or a damaged one. */
const DAMAGED = [
  "abc",
  "12345",
  '""',
  '"HYLL"',
  '"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
  '"HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80"',
  '"HYLL\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff"',
  '"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80"',
  '"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x10\\x20"',
  '"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xfe\\x83"',
  '"HYLL\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"',
  '"HYLL\\x01\\x00\\x00\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f\\x7f\\xff"',
  '"HYLL\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x20\\x00\\x7f\\xff"',
  '"hyll\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff"',
];

export const HYPERLOGLOG: Scripts = {
  "PFADD, PFCOUNT, PFMERGE": `
    PFCOUNT missing
    PFCOUNT missing missing
    %probe h
    PFADD h
    PFADD h
    PFCOUNT h
    PFADD h a
    PFADD h a
    PFADD h a b c d a
    PFCOUNT h
    PFCOUNT h
    PFADD h ""
    PFADD h "\\x00\\xff" 1 2 3
    PFCOUNT h
    PEXPIREAT h 4102444800123
    PFADD h new
    PFCOUNT h h missing
    PFADD i a x y z
    PFCOUNT h i
    %probe m
    PFMERGE m
    PFMERGE m missing
    PFMERGE m h i
    PFCOUNT m
    PFMERGE m m
    PFMERGE h
    PFMERGE h i
    COPY h j
    PFADD j more
    %probe j
    GET h
    APPEND h x
    PFADD h y
    PFADD
    PFCOUNT
    PFMERGE
    PFDEBUG
    PFSELFTEST x
  `,
  "the sparse form grows into the dense one": `
    %repeat 300 PFADD s element:#
    GET s
    PFDEBUG ENCODING s
    PFDEBUG DECODE s
    PFCOUNT s
    GET s
    %repeat 700 PFADD s more:# and:#
    PFDEBUG ENCODING s
    PFDEBUG DECODE s
    GET s
    %repeat 2000 PFADD s again:# #
    PFDEBUG ENCODING s
    PFDEBUG DECODE s
    PFCOUNT s
    PFCOUNT s
    GET s
    OBJECT ENCODING s
    PFADD t a b c
    PFMERGE t s
    GET t
    PFDEBUG ENCODING t
    PFMERGE u t
    GET u
    PFADD v a b c
    PFCOUNT v s
    PFMERGE s v
    GET s
    COPY s w
    PFADD w 1000001
    GET w
    SETRANGE w 20 "\\xff\\xff"
    PFCOUNT w
    PFADD w a
    PFCOUNT w
  `,
  "PFADD one at a time keeps Redis's opcodes": `
    %repeat 1500 PFADD one #
    GET one
    PFDEBUG DECODE one
    %repeat 60 PFADD k# #
    PFMERGE all k1 k2 k3 k4 k5 k6 k7 k8 k9 k10 k11 k12 k13 k14 k15 k16 k17 k18 k19 k20 k21 k22 k23 k24 k25
    GET all
    PFMERGE all k31 k32 k33 k34 k35 k36 k37 k38 k39 k40 k41 k42 k43 k44 k45 k46 k47 k48 k49 k50
    GET all
  `,
  PFDEBUG: `
    PFDEBUG GETREG missing
    PFDEBUG FOO missing
    PFADD h a b c
    PFDEBUG ENCODING h
    PFDEBUG decode h
    PFDEBUG FOO h
    PFDEBUG "" h
    PFDEBUG TODENSE h
    GET h
    PFDEBUG TODENSE h
    PFDEBUG ENCODING h
    PFDEBUG DECODE h
    PFADD i a b c
    PFDEBUG GETREG i
    GET i
    PFDEBUG ENCODING i
    PFDEBUG ENCODING h extra
    PFDEBUG ENCODING
  `,
  "values that are none": `
    ${lines(
      DAMAGED,
      (v) => `
      SET k ${v}
      PFCOUNT k
      OBJECT ENCODING k
      SET k ${v}
      PFADD k
      OBJECT ENCODING k
      PFCOUNT k missing
      PFMERGE d k
      PFMERGE k missing
      SET k ${v}
      PFMERGE k k
      SET k ${v}
      PFDEBUG ENCODING k
      PFDEBUG DECODE k
      PFDEBUG TODENSE k
      SET k ${v}
      PFADD k a
      PFADD k a b c d e f g
      GET k
      DEL d
    `,
    )}
  `,
  "needs LPUSH: wrong types": `
    LPUSH l a
    PFADD l a
    PFADD l
    PFCOUNT l
    PFCOUNT missing l
    PFMERGE d l
    EXISTS d
    PFMERGE l
    PFDEBUG ENCODING l
    TYPE l
  `,
};

/** With a limit of the sparse form that is not the usual one. */
export const HYPERLOGLOG_LIMIT: Scripts = {
  "hll-sparse-max-bytes": `
    %repeat 120 PFADD h e:#
    GET h
    PFDEBUG ENCODING h
    PFMERGE i h
    GET i
    SET j "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff"
    %repeat 30 PFADD j # b#
    PFDEBUG DECODE j
    GET j
  `,
  "needs CONFIG: changed while running": `
    CONFIG SET hll-sparse-max-bytes 50
    %repeat 50 PFADD h #
    GET h
    CONFIG SET hll-sparse-max-bytes 15000
    %repeat 8000 PFADD i # x#
    GET i
    PFDEBUG ENCODING i
    PFCOUNT i
    CONFIG SET hll-sparse-max-bytes 200
    PFADD i last
    PFDEBUG ENCODING i
  `,
};
