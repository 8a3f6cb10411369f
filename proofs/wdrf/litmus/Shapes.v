(* SPDX-License-Identifier: Apache-2.0 *)
(** The litmus tests as data: threads, the outcome asked for, and the verdicts that are published for SC and for Armv8
    (herd's AArch64 catalogue and the Promising-ARM paper; names as there).  Checked in [Litmus]. *)
From Coq Require Import List String.
From SeKVM.wdrf.isolated Require Import Base.
From SeKVM.wdrf.litmus Require Import ExploreSC.
Import ListNotations.
Local Open Scope string_scope.

(** sc, arm: may the outcome happen? *)
Record shape := Shape { name : string; threads : list (list instr); asked : query; sc : bool; arm : bool }.

(** Locations and registers. *)
Definition x := Const 0.
Definition y := Const 1.
Definition z := Const 2.
Definition at_x : addr := 0.
Definition at_y : addr := 1.
Definition at_z : addr := 2.
Definition a : reg := 0.
Definition b : reg := 1.
Definition c : reg := 2.

(** Instructions, briefly. *)
Definition R r l := ldr r l.
Definition W l v := str l (Const v).
Definition A r l := ldar r l (Const 0) [].
Definition L l v := stlr l (Const v) [].
Definition sy := Fence DmbSy.
Definition ld := Fence DmbLd.
Definition st := Fence DmbSt.
Definition isb := Fence Isb.

(** [e], but depending on register [r]. *)
Definition dep (r : reg) (e : expr) := Bin Add e (Bin Mul (Reg r) (Const 0)).
(** A branch on register [r], here instruction [n] of its thread, to the instruction after it. *)
Definition ctrl (r : reg) (n : nat) := Branch (Bin Mul (Reg r) (Const 0)) (S n).
Definition Wdata l v r := str l (dep r (Const v)).

(** Outcomes. *)
Definition regs l := Query l [].
Definition mem m := Query [] m.

Definition mp := regs [(1, a, 1); (1, b, 0)].
Definition sb := regs [(0, a, 0); (1, a, 0)].
Definition lb := regs [(0, a, 1); (1, a, 1)].
Definition ww := mem [(at_x, 1); (at_y, 1)].
Definition s := Query [(1, a, 1)] [(at_x, 2)].
Definition r := Query [(1, a, 0)] [(at_y, 2)].
Definition iriw := regs [(2, a, 1); (2, b, 0); (3, a, 1); (3, b, 0)].
Definition wrc := regs [(1, a, 1); (2, a, 1); (2, b, 0)].
Definition isa := regs [(1, a, 1); (2, a, 1); (2, b, 0)].
Definition ppo := regs [(1, a, 1); (1, b, 1); (1, c, 0)].

Definition shapes : list shape := [
  Shape "SB" [[W x 1; R a y]; [W y 1; R a x]] sb false true;
  Shape "SB+dmb.sys" [[W x 1; sy; R a y]; [W y 1; sy; R a x]] sb false false;
  Shape "SB+dmb.sy+po" [[W x 1; sy; R a y]; [W y 1; R a x]] sb false true;
  Shape "SB+dmb.sts" [[W x 1; st; R a y]; [W y 1; st; R a x]] sb false true;
  Shape "SB+dmb.lds" [[W x 1; ld; R a y]; [W y 1; ld; R a x]] sb false true;
  Shape "SB+rel-acqs" [[L x 1; A a y]; [L y 1; A a x]] sb false false;
  Shape "SB+dmb.sy+rel-acq" [[W x 1; sy; R a y]; [L y 1; A a x]] sb false false;
  Shape "MP" [[W x 1; W y 1]; [R a y; R b x]] mp false true;
  Shape "MP+dmb.sys" [[W x 1; sy; W y 1]; [R a y; sy; R b x]] mp false false;
  Shape "MP+dmb.sy+po" [[W x 1; sy; W y 1]; [R a y; R b x]] mp false true;
  Shape "MP+po+dmb.sy" [[W x 1; W y 1]; [R a y; sy; R b x]] mp false true;
  Shape "MP+dmb.st+dmb.ld" [[W x 1; st; W y 1]; [R a y; ld; R b x]] mp false false;
  Shape "MP+dmb.sy+addr" [[W x 1; sy; W y 1]; [R a y; R b (dep a x)]] mp false false;
  Shape "MP+dmb.sy+ctrl" [[W x 1; sy; W y 1]; [R a y; ctrl a 1; R b x]] mp false true;
  Shape "MP+dmb.sy+ctrlisb" [[W x 1; sy; W y 1]; [R a y; ctrl a 1; isb; R b x]] mp false false;
  Shape "MP+dmb.sy+isb" [[W x 1; sy; W y 1]; [R a y; isb; R b x]] mp false true;
  Shape "MP+rel+acq" [[W x 1; L y 1]; [A a y; R b x]] mp false false;
  Shape "MP+rel+po" [[W x 1; L y 1]; [R a y; R b x]] mp false true;
  Shape "MP+po+acq" [[W x 1; W y 1]; [A a y; R b x]] mp false true;
  Shape "LB" [[R a x; W y 1]; [R a y; W x 1]] lb false true;
  Shape "LB+dmb.sys" [[R a x; sy; W y 1]; [R a y; sy; W x 1]] lb false false;
  Shape "LB+dmb.lds" [[R a x; ld; W y 1]; [R a y; ld; W x 1]] lb false false;
  Shape "LB+data+po" [[R a x; Wdata y 1 a]; [R a y; W x 1]] lb false true;
  Shape "LB+datas" [[R a x; Wdata y 1 a]; [R a y; Wdata x 1 a]] lb false false;
  Shape "LB+addrs" [[R a x; str (dep a y) (Const 1)]; [R a y; str (dep a x) (Const 1)]] lb false false;
  Shape "LB+ctrls" [[R a x; ctrl a 1; W y 1]; [R a y; ctrl a 1; W x 1]] lb false false;
  Shape "LB+rel+acq" [[R a x; L y 1]; [A a y; W x 1]] lb false false;
  Shape "LB+copies" [[R a x; str y (Reg a)]; [R a y; str x (Reg a)]] lb false false;
  Shape "2+2W" [[W x 1; W y 2]; [W y 1; W x 2]] ww false true;
  Shape "2+2W+dmb.sys" [[W x 1; sy; W y 2]; [W y 1; sy; W x 2]] ww false false;
  Shape "2+2W+dmb.sts" [[W x 1; st; W y 2]; [W y 1; st; W x 2]] ww false false;
  Shape "2+2W+dmb.sy+po" [[W x 1; sy; W y 2]; [W y 1; W x 2]] ww false true;
  Shape "2+2W+rels" [[W x 1; L y 2]; [W y 1; L x 2]] ww false false;
  Shape "S" [[W x 2; W y 1]; [R a y; W x 1]] s false true;
  Shape "S+dmb.sys" [[W x 2; sy; W y 1]; [R a y; sy; W x 1]] s false false;
  Shape "S+dmb.sy+data" [[W x 2; sy; W y 1]; [R a y; Wdata x 1 a]] s false false;
  Shape "S+dmb.sy+po" [[W x 2; sy; W y 1]; [R a y; W x 1]] s false true;
  Shape "S+dmb.sy+ctrl" [[W x 2; sy; W y 1]; [R a y; ctrl a 1; W x 1]] s false false;
  Shape "R" [[W x 1; W y 1]; [W y 2; R a x]] r false true;
  Shape "R+dmb.sys" [[W x 1; sy; W y 1]; [W y 2; sy; R a x]] r false false;
  Shape "R+dmb.sy+po" [[W x 1; sy; W y 1]; [W y 2; R a x]] r false true;
  Shape "R+po+dmb.sy" [[W x 1; W y 1]; [W y 2; sy; R a x]] r false true;
  Shape "IRIW" [[W x 1]; [W y 1]; [R a x; R b y]; [R a y; R b x]] iriw false true;
  Shape "IRIW+addrs" [[W x 1]; [W y 1]; [R a x; R b (dep a y)]; [R a y; R b (dep a x)]] iriw false false;
  Shape "IRIW+dmb.sys" [[W x 1]; [W y 1]; [R a x; sy; R b y]; [R a y; sy; R b x]] iriw false false;
  Shape "WRC" [[W x 1]; [R a x; W y 1]; [R a y; R b x]] wrc false true;
  Shape "WRC+data+addr" [[W x 1]; [R a x; Wdata y 1 a]; [R a y; R b (dep a x)]] wrc false false;
  Shape "WRC+dmb.sy+po" [[W x 1]; [R a x; sy; W y 1]; [R a y; R b x]] wrc false true;
  Shape "ISA2+dmb.sy+data+addr"
    [[W x 1; sy; W y 1]; [R a y; Wdata z 1 a]; [R a z; R b (dep a x)]] isa false false;
  Shape "PPOCA" [[W x 1; sy; W y 1]; [R a y; ctrl a 1; W z 1; R b z; R c (dep b x)]] ppo false true;
  Shape "PPOAA" [[W x 1; sy; W y 1]; [R a y; str (dep a z) (Const 1); R b z; R c (dep b x)]] ppo false false;
  Shape "CoRR" [[W x 1]; [R a x; R b x]] (regs [(1, a, 1); (1, b, 0)]) false false;
  Shape "CoRR2" [[W x 1]; [W x 2]; [R a x; R b x]; [R a x; R b x]]
    (regs [(2, a, 1); (2, b, 2); (3, a, 2); (3, b, 1)]) false false;
  Shape "CoWW" [[W x 1; W x 2]] (mem [(at_x, 1)]) false false;
  Shape "CoRW1" [[R a x; W x 1]] (regs [(0, a, 1)]) false false;
  Shape "CoRW2" [[R a x; W x 1]; [W x 2]] (Query [(0, a, 2)] [(at_x, 2)]) false false;
  Shape "CoWR" [[W x 1; R a x]; [W x 2]] (Query [(0, a, 2)] [(at_x, 1)]) false false;
  Shape "MP, seen" [[W x 1; L y 1]; [A a y; R b x]] (regs [(1, a, 1); (1, b, 1)]) true true;
  Shape "SB, one late" [[W x 1; sy; R a y]; [W y 1; sy; R a x]] (regs [(0, a, 0); (1, a, 1)]) true true;
  Shape "two SWPALs" [[Rmw Second a x (Const 1) (Const 0) [] []]; [Rmw Second a x (Const 2) (Const 0) [] []]]
    (regs [(0, a, 0); (1, a, 0)]) false false].
