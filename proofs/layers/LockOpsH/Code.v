(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from LockOpsH.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_wait_hlock : func :=
  mkfunc None [("lk", U32)] []
    (Scall None "wait_qlock" [Evar "lk"]).

Definition f_pass_hlock : func :=
  mkfunc None [("lk", U32)] []
    (Scall None "pass_qlock" [Evar "lk"]).

Definition code : module :=
  [("wait_hlock", f_wait_hlock);
   ("pass_hlock", f_pass_hlock)].
