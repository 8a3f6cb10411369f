(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from LockOpsQ.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_wait_qlock : func :=
  mkfunc None [("lk", U32)] []
    (Scall None "wait_lock" [Evar "lk"]).

Definition f_pass_qlock : func :=
  mkfunc None [("lk", U32)] []
    (Scall None "pass_lock" [Evar "lk"]).

Definition code : module :=
  [("wait_qlock", f_wait_qlock);
   ("pass_qlock", f_pass_qlock)].
