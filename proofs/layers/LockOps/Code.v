(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from LockOps.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_wait_lock : func :=
  mkfunc None [("lk", U32)] ["my"; "now"]
    (Sseq (Scall (Some "my") "incr_ticket" [Evar "lk"])
    (Sseq (Scall (Some "now") "get_now" [Evar "lk"])
    (Sseq (Swhile
            (Ecmp Cne (Evar "now") (Evar "my"))
            (Scall (Some "now") "get_now" [Evar "lk"]))
    (Scall None "barrier" [])))).

Definition f_pass_lock : func :=
  mkfunc None [("lk", U32)] []
    (Sseq (Scall None "barrier" [])
    (Scall None "incr_now" [Evar "lk"])).

Definition code : module :=
  [("wait_lock", f_wait_lock);
   ("pass_lock", f_pass_lock)].
