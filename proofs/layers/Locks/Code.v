(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from Locks.c by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition f_acquire_lock : func :=
  mkfunc None [("lk", U32)] []
    (Sseq (Scall None "wait_hlock" [Evar "lk"])
    (Scall None "pull" [Evar "lk"])).

Definition f_release_lock : func :=
  mkfunc None [("lk", U32)] []
    (Sseq (Scall None "push" [Evar "lk"])
    (Scall None "pass_hlock" [Evar "lk"])).

Definition f_acquire_lock_pt : func :=
  mkfunc None [("vmid", U32)] []
    (Sseq (Scall None "wait_hlock" [Ebin Oadd U32 (Econst 5) (Evar "vmid")])
    (Scall None "pull" [Ebin Oadd U32 (Econst 5) (Evar "vmid")])).

Definition f_release_lock_pt : func :=
  mkfunc None [("vmid", U32)] []
    (Sseq (Scall None "push" [Ebin Oadd U32 (Econst 5) (Evar "vmid")])
    (Scall None "pass_hlock" [Ebin Oadd U32 (Econst 5) (Evar "vmid")])).

Definition f_acquire_lock_vm : func :=
  mkfunc None [("vmid", U32)] []
    (Sseq (Scall None "wait_hlock" [Ebin Oadd U32 (Econst 22) (Evar "vmid")])
    (Scall None "pull" [Ebin Oadd U32 (Econst 22) (Evar "vmid")])).

Definition f_release_lock_vm : func :=
  mkfunc None [("vmid", U32)] []
    (Sseq (Scall None "push" [Ebin Oadd U32 (Econst 22) (Evar "vmid")])
    (Scall None "pass_hlock" [Ebin Oadd U32 (Econst 22) (Evar "vmid")])).

Definition f_acquire_lock_core : func :=
  mkfunc None [] []
    (Sseq (Scall None "wait_hlock" [Econst 1])
    (Scall None "pull" [Econst 1])).

Definition f_release_lock_core : func :=
  mkfunc None [] []
    (Sseq (Scall None "push" [Econst 1])
    (Scall None "pass_hlock" [Econst 1])).

Definition f_acquire_lock_s2page : func :=
  mkfunc None [] []
    (Sseq (Scall None "wait_hlock" [Econst 2])
    (Scall None "pull" [Econst 2])).

Definition f_release_lock_s2page : func :=
  mkfunc None [] []
    (Sseq (Scall None "push" [Econst 2])
    (Scall None "pass_hlock" [Econst 2])).

Definition f_acquire_lock_spt : func :=
  mkfunc None [] []
    (Sseq (Scall None "wait_hlock" [Econst 3])
    (Scall None "pull" [Econst 3])).

Definition f_release_lock_spt : func :=
  mkfunc None [] []
    (Sseq (Scall None "push" [Econst 3])
    (Scall None "pass_hlock" [Econst 3])).

Definition f_acquire_lock_smmu : func :=
  mkfunc None [] []
    (Sseq (Scall None "wait_hlock" [Econst 4])
    (Scall None "pull" [Econst 4])).

Definition f_release_lock_smmu : func :=
  mkfunc None [] []
    (Sseq (Scall None "push" [Econst 4])
    (Scall None "pass_hlock" [Econst 4])).

Definition code : module :=
  [("acquire_lock", f_acquire_lock);
   ("release_lock", f_release_lock);
   ("acquire_lock_pt", f_acquire_lock_pt);
   ("release_lock_pt", f_release_lock_pt);
   ("acquire_lock_vm", f_acquire_lock_vm);
   ("release_lock_vm", f_release_lock_vm);
   ("acquire_lock_core", f_acquire_lock_core);
   ("release_lock_core", f_release_lock_core);
   ("acquire_lock_s2page", f_acquire_lock_s2page);
   ("release_lock_s2page", f_release_lock_s2page);
   ("acquire_lock_spt", f_acquire_lock_spt);
   ("release_lock_spt", f_release_lock_spt);
   ("acquire_lock_smmu", f_acquire_lock_smmu);
   ("release_lock_smmu", f_release_lock_smmu)].
