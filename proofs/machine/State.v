(* SPDX-License-Identifier: Apache-2.0 *)
(** The state of the machine as one CPU sees it, for all 34 layers.  It is
    polymorphic in the four things whose representation changes on the way up: the
    view of a lock-protected object ([F]), the stage-2 tables ([N]), the SMMU tables
    ([M]) and the page metadata ([P]).  Rests on stdpp's finite maps; every layer's
    [Spec.v] uses it.

    How the CPUs meet.  Another CPU touches this state only through scripts: lists
    of batches of events of the other CPUs, consumed in order, one batch whenever
    this CPU synchronises (an acquire, a poll of a ticket, an access to unlocked
    memory).  A script that has run out stands for empty batches: nothing more
    happened.  Scripts are data, so a theorem for all scripts covers every
    environment; [lib/Smp.v] proves that each run of an interleaving machine is such
    a local run under a script made of the other CPUs' own events.

    External inputs are lists of values that are consumed in order, zeros when they
    have run out.

    How layers 1 to 4 fit below [cell].  Objects and locks have one numbering
    ([lock_core] ... below), used by the C code and by the specifications.  The view
    [F X] of an object [X] is:
    - below layer 2, [tview]: 32-bit counters [next] and [now] in memory; script
      events are [Take c] and [Pass c x] (CPU c draws a ticket; c stores [now + 1],
      leaving the object at x); a ghost flag says whether this CPU has pulled the
      object after it got the lock.  LockOps (1) turns the counters into integers
      that do not wrap and the polling loop into one step;
    - LockOpsQ (2), [qview]: the queue of CPUs between [now] and [next], FIFO by
      construction, its head the holder;
    - LockOpsH (3), [hview]: free or held; the script has one batch per acquire: the
      complete critical sections of others before it.  That waiting ends is proved
      here, from scripts in which holders release;
    - Locks (4), [cell]: lock and object joined; acquire replays a batch and makes
      the object accessible, release publishes it.
    Primitives on objects ask only for [View F] (is it accessible, read it, write
    it), so they pass through all four changes of view unchanged, and layers 5 to 34
    stand on [cell] and on layer 4's table. *)
From stdpp Require Export gmap.
From Coq Require Export ZArith.
From SeKVM.lib Require Export Cell.
From SeKVM.machine Require Export Regs.
Local Open Scope Z_scope.

(** * Views of lock-protected objects *)

(** At layer 4 and above the view is [lib/Cell.v]'s [cell]. *)

(** What a primitive on an object needs to know of its view. *)
Class View (F : Type -> Type) := mkView {
  own : forall {X}, F X -> bool;
  value : forall {X}, F X -> X;
  store : forall {X}, X -> F X -> F X }.

#[global] Instance cell_view : View cell := mkView cell (@c_held) (@c_val) (@set_val).

(** * Objects *)

(** The identifiers of VMs: 0 the host, 1 to 15 VMs, 16 KCore itself. *)
Definition HOSTVISOR : Z := 0.
Definition COREVISOR : Z := 16.
Definition is_vmid (v : Z) : bool := (0 <=? v) && (v <? 17).

(** One numbering of locks and objects. *)
Definition lock_core : Z := 1.
Definition lock_s2page : Z := 2.
Definition lock_spt : Z := 3.
Definition lock_smmu : Z := 4.
Definition lock_npt (vmid : Z) : Z := 5 + vmid.
Definition lock_vm (vmid : Z) : Z := 22 + vmid.
Definition lock_end : Z := 39.

Record core_data := mkcore { next_vmid : Z; next_remap_ptr : Z }.

(** One stage-2 table: the bump pointers of its three page pools and the words of
    its pool, by byte address.  A word that was never written is zero. *)
Record npt := mknpt { pgd_next : Z; pud_next : Z; pmd_next : Z; npt_words : gmap Z Z }.

(** The SMMU tables: bump pointers of two page pools, and words. *)
Record sptab := mkspt { spt_pgd_next : Z; spt_pmd_next : Z; spt_words : gmap Z Z }.

(** One entry of the page-ownership table. *)
Record s2page := mks2page { s2_owner : Z; s2_count : Z; s2_gfn : Z }.

Record vminfo := mkvminfo {
  vm_kvm : Z;
  vm_state : Z;
  vm_power : Z;
  vm_inc_exe : Z;
  vcpu_state : gmap Z Z;
  vcpu_ptr : gmap Z Z;
  load_next : Z;
  load_addr : gmap Z Z;
  load_size : gmap Z Z;
  load_remap : gmap Z Z;
  load_mapped : gmap Z Z;
  load_digest : gmap Z Z (* what the signed image says that its hash is *) }.

(** * Memory, CPU, boot map, output *)

(** Physical memory in 64-bit words, by byte address; an absent word is zero.  It
    has no lock: events are single writes [(cpu, (address, word))]. *)
Record memview := mkmem {
  m_words : gmap Z Z;
  m_log : list (Z * (Z * Z));
  m_script : list (list (Z * (Z * Z))) }.

Record cpu := mkcpu {
  cpu_id : Z;
  cpu_vmid : Z;      (* whose context is loaded *)
  cpu_vcpuid : Z;
  cpu_regs : regfile }.

(** A block of memory of the firmware's map; [mb_index] is its first slot in the
    page-ownership table. *)
Record memblock := mkmemblock { mb_base : Z; mb_size : Z; mb_flag : Z; mb_index : Z }.

Record smmu_dev := mksmmu {
  smmu_base : Z; smmu_size : Z; smmu_hyp_base : Z; smmu_banks : Z; smmu_pgshift : Z }.

Record bootmap := mkboot { boot_mem : list memblock; boot_smmus : list smmu_dev }.

(** What a CPU does to the outside.  The ledger of a security theorem is the list of
    [Flow]s: every intended flow of information, with its payload. *)
Inductive out_event :=
| Tlb_flush (vmid addr : Z)              (* stage-2 invalidation of one address *)
| Smmu_flush (index cbndx addr : Z)      (* the same for an SMMU context bank *)
| Mmio_write (addr bytes v : Z)          (* store to a device register *)
| Flow (src dst : Z) (payload : list Z). (* declassification from src to dst *)

(** * The state *)

Record St (F : Type -> Type) (N M P : Type) := mkSt {
  st_core : F core_data;               (* allocation counters of KCore *)
  st_s2 : F P;                         (* ownership of physical pages *)
  st_spt : F M;                        (* SMMU page tables *)
  st_smmu : F (gmap Z Z);              (* owner of each SMMU context bank *)
  st_npts : gmap Z (F N);              (* stage-2 page tables, one object per VM *)
  st_vms : gmap Z (F vminfo);          (* life cycle and boot data, one object per VM *)
  st_mem : memview;                    (* physical memory outside the page-table pools *)
  st_cpu : cpu;                        (* what is private to this CPU *)
  st_ctxts : gmap Z (cell regfile);    (* saved vCPU contexts, at 8 * vmid + vcpuid *)
  st_boot : bootmap;                   (* read-only description of the machine *)
  st_ins : gmap Z (list Z);            (* external inputs still to come, by source *)
  st_outs : list out_event             (* what this CPU did to the outside, newest first *) }.
Arguments mkSt {F N M P}.
Arguments st_core {F N M P}.
Arguments st_s2 {F N M P}.
Arguments st_spt {F N M P}.
Arguments st_smmu {F N M P}.
Arguments st_npts {F N M P}.
Arguments st_vms {F N M P}.
Arguments st_mem {F N M P}.
Arguments st_cpu {F N M P}.
Arguments st_ctxts {F N M P}.
Arguments st_boot {F N M P}.
Arguments st_ins {F N M P}.
Arguments st_outs {F N M P}.

(** Setters.  Those of [N], [M] and [P] may change the type. *)
Definition set_core {F : Type -> Type} {N M P : Type} (v : F core_data) (s : St F N M P) : St F N M P :=
  mkSt v (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_s2 {F : Type -> Type} {N M P : Type} {P' : Type} (v : F P') (s : St F N M P) : St F N M P' :=
  mkSt (st_core s) v (st_spt s) (st_smmu s) (st_npts s) (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_spt {F : Type -> Type} {N M P : Type} {M' : Type} (v : F M') (s : St F N M P) : St F N M' P :=
  mkSt (st_core s) (st_s2 s) v (st_smmu s) (st_npts s) (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_smmu {F : Type -> Type} {N M P : Type} (v : F (gmap Z Z)) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) v (st_npts s) (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_npts {F : Type -> Type} {N M P : Type} {N' : Type} (v : gmap Z (F N')) (s : St F N M P) : St F N' M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) v (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_vms {F : Type -> Type} {N M P : Type} (v : gmap Z (F vminfo)) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) v (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_mem {F : Type -> Type} {N M P : Type} (v : memview) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) (st_vms s) v (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_cpu {F : Type -> Type} {N M P : Type} (v : cpu) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) (st_vms s) (st_mem s) v (st_ctxts s) (st_boot s) (st_ins s) (st_outs s).
Definition set_ctxts {F : Type -> Type} {N M P : Type} (v : gmap Z (cell regfile)) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) (st_vms s) (st_mem s) (st_cpu s) v (st_boot s) (st_ins s) (st_outs s).
Definition set_boot {F : Type -> Type} {N M P : Type} (v : bootmap) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) v (st_ins s) (st_outs s).
Definition set_ins {F : Type -> Type} {N M P : Type} (v : gmap Z (list Z)) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) v (st_outs s).
Definition set_outs {F : Type -> Type} {N M P : Type} (v : list out_event) (s : St F N M P) : St F N M P :=
  mkSt (st_core s) (st_s2 s) (st_spt s) (st_smmu s) (st_npts s) (st_vms s) (st_mem s) (st_cpu s) (st_ctxts s) (st_boot s) (st_ins s) v.

(** Setters of the components' parts. *)
Definition set_pgd_next (v : Z) (x : npt) : npt :=
  mknpt v (pud_next x) (pmd_next x) (npt_words x).
Definition set_pud_next (v : Z) (x : npt) : npt :=
  mknpt (pgd_next x) v (pmd_next x) (npt_words x).
Definition set_pmd_next (v : Z) (x : npt) : npt :=
  mknpt (pgd_next x) (pud_next x) v (npt_words x).
Definition set_npt_words (v : gmap Z Z) (x : npt) : npt :=
  mknpt (pgd_next x) (pud_next x) (pmd_next x) v.
Definition set_spt_pgd_next (v : Z) (x : sptab) : sptab :=
  mkspt v (spt_pmd_next x) (spt_words x).
Definition set_spt_pmd_next (v : Z) (x : sptab) : sptab :=
  mkspt (spt_pgd_next x) v (spt_words x).
Definition set_spt_words (v : gmap Z Z) (x : sptab) : sptab :=
  mkspt (spt_pgd_next x) (spt_pmd_next x) v.

(** The state at layer 4 and above, before any table changes its representation. *)
Notation state := (St cell npt sptab (gmap Z s2page)).

(** Writing back what was read changes nothing. *)
Lemma set_core_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_core (st_core s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_s2_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_s2 (st_s2 s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_spt_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_spt (st_spt s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_smmu_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_smmu (st_smmu s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_npts_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_npts (st_npts s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_vms_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_vms (st_vms s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_mem_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_mem (st_mem s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_cpu_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_cpu (st_cpu s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_ctxts_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_ctxts (st_ctxts s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_boot_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_boot (st_boot s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_ins_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_ins (st_ins s) s = s.
Proof. destruct s. reflexivity. Qed.
Lemma set_outs_id {F : Type -> Type} {N M P : Type} (s : St F N M P) : set_outs (st_outs s) s = s.
Proof. destruct s. reflexivity. Qed.
