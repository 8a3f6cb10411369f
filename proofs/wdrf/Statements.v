(* SPDX-License-Identifier: Apache-2.0 *)
(** The statements of the relaxed-memory development, each with a reading in prose.  They are proved in
    [isolated.Proof] and [full.Proof]; what they mean rests on the definitions in [isolated.{Base,SC,Promising,DRF}] and
    [full.{Base,SC,Promising,DRF,PageTable}], and on nothing else. *)
From Coq Require Import List Arith.
From SeKVM.wdrf.isolated Require Import Base SC DRF Promising Operational.
From SeKVM.wdrf.full Require Import Base SC Promising DRF PageTable.

(** Theorem 2.  Let a kernel on its own meet DRF-Kernel, No-Barrier-Misuse and Write-Once-Kernel-Mapping in all its SC
    executions.  Then every execution of it on the Promising machine ends (at any point where no promise is outstanding,
    not only when the threads have terminated) with the program counters, the registers and the memory of an SC
    execution. *)
Definition Theorem2 : Prop :=
  forall K M f, wdrf_isolated K -> behaviour K M f ->
  exists s g, sc_reach K s g /\ same_outcome K M f (fun _ => True) (sc_pc s) (sc_reg s) (sc_mem s).

(** Promise-first executions are no restriction: a machine whose threads promise and execute in any order reaches, once no
    promise is outstanding, only what a [behaviour] describes. *)
Definition OperationalAdequacy : Prop :=
  forall K M x, well_formed K -> machine_reach K M x -> (forall i, complete M i (x i)) -> behaviour K M x.

(** Theorem 4.  Let a kernel meet the conditions in all its SC executions with data oracles (whatever values it reads from
    user memory).  Then, beside arbitrary users whose accesses are translated by racy walks of the kernel's tables, each
    execution of the kernel on the Promising machine ends with the program counters, the registers and the kernel memory
    of such an SC execution. *)
Definition Theorem4 : Prop :=
  forall K X M f, wdrf_full K X -> full_behaviour K X M f ->
  exists s g, sc_reach K s g /\
    same_outcome K M f (fun a => class_of K a <> User) (sc_pc s) (sc_reg s) (sc_mem s).

(** Memory isolation on the relaxed machine: users write, and may read, only the words that the kernel's tables are
    allowed to map for them; none of these is kernel memory. *)
Definition Isolation : Prop :=
  forall K X M f, wdrf_full K X -> full_behaviour K X M f ->
  (forall u now pa, accesses K X M u now pa -> table X u (levels X) pa /\ class_of K pa = User) /\
  (forall ts m, msg_at M ts = Some m -> cpus K <= mtid m -> table X (mtid m) (levels X) (mloc m)).

(** Theorem 3.  If moreover the kernel reads no user memory, the SC execution is one without oracles. *)
Definition Theorem3 : Prop :=
  forall K X M f, wdrf_strong K X -> full_behaviour K X M f ->
  exists s, sc_reach_closed K s /\
    same_outcome K M f (fun a => class_of K a <> User) (sc_pc s) (sc_reg s) (sc_mem s).

(** Theorem 1.  Whatever can be observed of any piece of the kernel (program counters, registers and words of kernel
    memory, any number of each) on relaxed hardware beside any users can be observed on SC. *)
Definition Theorem1 : Prop :=
  forall K X o, wdrf_full K X ->
  (exists M f, full_behaviour K X M f /\
     shows K o (fun i => pc (f i)) (fun i r => fst (regs (f i) r)) (final_value K M)) ->
  exists s g, sc_reach K s g /\ shows K o (sc_pc s) (sc_reg s) (fun a v => sc_mem s a = v).

(** Transactional-Page-Table.  A racy walk that reaches memory yields what an atomic walk of the tables yields at some
    moment [s], not before the last TLB invalidation and not after the access. *)
Definition TransactionalPageTable : Prop :=
  forall K X M f u now va pa, wdrf_full K X -> full_behaviour K X M f -> linked_once K X -> transactional K X M ->
  walk K X M u now va (levels X) pa -> last_tlbi M X now < now ->
  exists s, last_tlbi M X now <= s /\ s < now /\ snapshot K X M u s va (levels X) pa.

(** The same for tables that are only added to, with no premise about executions. *)
Definition MapOnlyPageTable : Prop :=
  forall K X M f u now va pa, wdrf_full K X -> full_behaviour K X M f -> linked_once K X -> map_only K X ->
  walk K X M u now va (levels X) pa -> last_tlbi M X now < now ->
  exists s, last_tlbi M X now <= s /\ s < now /\ snapshot K X M u s va (levels X) pa.

(** In such tables a translation never changes: walks of the same address by the same user that do not fault agree,
    whenever they are made and however stale what they read. *)
Definition StableTranslation : Prop :=
  forall K X M f u now now' va pa pa', wdrf_full K X -> full_behaviour K X M f -> linked_once K X -> map_only K X ->
  walk K X M u now va (levels X) pa -> walk K X M u now' va (levels X) pa' -> pa = pa'.

(** Sequential-TLB-Invalidation.  A CPU stores to entry [a] (message [t0]) and later in its program invalidates TLBs
    (message [t]).  Then no access at or after [t] uses a value that the entry had before the store. *)
Definition SequentialTlbInvalidation : Prop :=
  forall K X M i st k a av t0 av' t es1 es2 es3,
  run K M i thread_initial (es1 ++ Write k a av t0 :: es2 ++ Write Ordered (tlb X) av' t :: es3) st ->
  forall now ts, t <= now -> no_write M a ts (last_tlbi M X now) -> t0 <= ts.
