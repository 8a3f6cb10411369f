(* SPDX-License-Identifier: Apache-2.0 *)
(** Scenarios and attacks on the whole stack: the machine that they run on, the moves of the software outside of
    KCore, and what is looked at afterwards.  Each run is made by the specification of layer 34 and by the linked C
    program on the bottom machine, from initial states that [StackTop.top_runs] relates.  Rests on [StackTop];
    used by the other files here. *)
From Coq Require Import Lia.
From SeKVM.lib Require Export Calls.
From SeKVM.machine Require Export Tickets LockInit.
From SeKVM.layers.LockOpsH Require Import Fair.
From SeKVM.layers.Locks Require Import Boot.
From SeKVM.layers.PageManager Require Export Spec.
From SeKVM.layers.PageManager Require Import Refine.
From SeKVM.layers.TrapHandler Require Export Interface.
From SeKVM Require Import StackFrames.
From SeKVM Require Export StackTop.
#[global] Open Scope string_scope.
#[global] Open Scope Z_scope.

(** * The machine *)

(** Registers of a device and of an SMMU, and sixteen frames of memory from 0x40000 on. *)
Definition firmware : list memblock :=
  [mkmemblock 0x9000000 0x1000 0 INVALID64; mkmemblock 0x9010000 0x10000 0 INVALID64;
   mkmemblock 0x40000000 0x10000 1 0].

(** Frames 0x40001 and 0x40002 hold an image whose owner has signed the digest [IMAGE]; frame 0x40003 holds the
    image with one word changed.  Frame 0x40006 holds data of the host's. *)
Definition IMAGE : Z := 0xf3e51085fae5354.
Definition w : world :=
  mkworld 2 (mkboot firmware [mksmmu 0x9010000 65536 0 8 12])
    (list_to_map [(0x40001008, 99); (0x40002008, 99); (0x40003008, 98); (0x40006008, 66)])
    [] [] [] [] (fun _ => []) (fun _ => []) (fun _ => []) []
    (list_to_map [(src_digest 1, [IMAGE]); (src_digest 2, [IMAGE])]).
Definition low_start : St tview npt sptab (gmap Z s2page) := init0 4294967290 w no_events.
Definition high_start : hstate := init_frames (fun _ => []) [] [] w.

(** The theorems about the stack speak of these states. *)
Lemma start_related : rel R_frames high_start low_start.
Proof.
  apply (frames_boot 4294967290 w 0 no_events);
    [lia | reflexivity | constructor; reflexivity | reflexivity | intros vm _ | |]; apply Forall2_nil_2.
Qed.

(** * Moves *)

(** Software changes its own registers x0 to x30; the hardware says why a VM or the host stopped; the host puts words
    for KCore into a structure that it shares with it.  The words are inputs, and consumed in order. *)
Definition outside {F N M P} (step : stepper (St F N M P)) : stepper (St F N M P) := fun f vs s =>
  let put r x := on_reg r (fun _ => x) in
  match f, vs with
  | "x", [i; x] => if (i <? 31) && in_range U64 x then ret 0 (put_regs (put_numbered i x (phys_regs s)) s) else None
  | "trap", [reason; esr; a] =>
      let phys := put FAR_EL2 a (put HPFAR_EL2 (Z.shiftr a 8) (phys_regs s)) in
      ret 0 (put_regs (put EC reason (put ESR_EL2 esr phys)) s)
  | "tell", src :: l => ret 0 (set_ins (<[src := (default [] (st_ins s !! src) ++ l)%list]> (st_ins s)) s)
  | _, _ => step f vs s
  end.
Definition by_spec : stepper hstate := outside (call top).
Definition by_c : stepper (St tview npt sptab (gmap Z s2page)) := outside (by_code top_program L0).

Notation move := (ident * list Z)%type.
(** A call of the host with its arguments in x1, x2, ... *)
Definition hvc (call : list Z) : list move :=
  (imap (fun i x => ("x", [Z.of_nat i; x])) call ++ [("host_hvc_handler", [])])%list.
(** The host faults at an address. *)
Definition host_fault (a : Z) : list move := [("trap", [0; 0x93800007; a]); ("host_npt_handler", [])].
(** The host stores x3, of 4 bytes, to a register of an SMMU, which faults. *)
Definition host_store_smmu (a x : Z) : list move :=
  [("x", [3; x]); ("trap", [0; 0x93830040; a]); ("host_npt_handler", [])].
(** The host lets a VM run. *)
Definition run_vm (v : Z) : list move := [("x", [0; v]); ("host_vcpu_run_handler", [])].
(** The VM that runs is interrupted; it faults at an address; it calls, with these x0, x1, ... *)
Definition interrupt : list move := [("trap", [31; 0; 0]); ("vm_exit_handler", [])].
Definition vm_fault (a : Z) : list move := [("trap", [2; 0x93800007; a]); ("vm_exit_handler", [])].
Definition vm_call (args : list Z) : list move :=
  (imap (fun i x => ("x", [Z.of_nat i; x])) args ++ [("trap", [2; 0x58000000; 0]); ("vm_exit_handler", [])])%list.

(** * What is looked at *)

Inductive fact :=
| Frame (pfn : Z)          (* owner, count, page of the VM *)
| Entry (v a : Z)          (* what the table of VM [v] has for address [a] *)
| Word (a : Z)             (* a word of memory *)
| Life (v : Z)             (* the state of VM [v], and of its vCPUs 0 and 1 *)
| Bank (b : Z)             (* the owner of bank [b] of SMMU 0 *)
| Running                  (* who runs: the VM and the vCPU, and where *)
| Reg (r : reg)            (* a register of the CPU *)
| Saved (v c : Z) (r : reg) (* a register of a vCPU in its saved context *)
| Stores                   (* what KCore stored to devices: address, bytes, word, newest first *)
| Shown                    (* what KCore told the host: the VM, the vCPU, the register and the value, newest first *).

(** The part that is the same for every representation of tables and frames. *)
Definition see {F} {V : View F} {N M P} (frame entry : Z -> Z -> list Z) (s : St F N M P) (x : fact) : list Z :=
  match x with
  | Frame pfn => frame pfn 0
  | Entry v a => entry v a
  | Word a => [word (m_words (st_mem s)) a]
  | Life v => match st_vms s !! v with
              | Some c => let r := value c in [vm_state r; word (vcpu_state r) 0; word (vcpu_state r) 1]
              | None => []
              end
  | Bank b => [bank_owner (value (st_smmu s)) b]
  | Running => [cpu_vmid (st_cpu s); cpu_vcpuid (st_cpu s); reg_word ELR_EL2 (phys_regs s)]
  | Reg r => [reg_word r (phys_regs s)]
  | Saved v c r => match st_ctxts s !! ctxt_id v c with Some x => [reg_word r (c_val x)] | None => [] end
  | Stores => flat_map (fun e => match e with Mmio_write a n x => [a; n; x] | _ => [] end) (st_outs s)
  | Shown => flat_map (fun e => match e with Flow v _ l => v :: l | _ => [] end) (st_outs s)
  end.
Definition see_high (s : hstate) : fact -> list Z :=
  see (fun pfn _ => let q := c_val (st_s2 s) !! pfn in [owner_of q; count_of q; map_of q])
      (fun v a => match st_npts s !! v with Some c => [entry (c_val c) (a / 4096)] | None => [] end) s.
(** In the linked program a frame is an entry of the ownership table, and the tables are words that the program's
    own walk reads. *)
Definition see_low (s : St tview npt sptab (gmap Z s2page)) : fact -> list Z :=
  see (fun pfn _ => let q := raw_page (value (st_s2 s)) (pfn - 0x40000) in [s2_owner q; s2_count q; s2_gfn q])
      (fun v a => match by_code top_program L0 "walk_s2pt" [v; a] s with Some (Ok e _) => [e] | _ => [] end) s.

(** How each of the attempts ends after the moves [before], with the facts [xs] before and after. *)
Definition try {S} (step : stepper S) (see : S -> fact -> list Z) (before : list move) (attempts : list (list move))
    (xs : list fact) (s : S) : option (list (list Z) * list (ended * list (list Z))) :=
  match run_calls step before s with
  | Some (Ok _ s) =>
      let attempt moves :=
        let '(_, e, after) := observe step (fun t => map (see t) xs) moves s in (e, after) in
      Some (map (see s) xs, map attempt attempts)
  | _ => None
  end.
(** By specification and by program alike. *)
Definition tries before attempts xs r : Prop :=
  try by_spec see_high before attempts xs high_start = Some r /\
  try by_c see_low before attempts xs low_start = Some r.

(** The attack [bad] stops the machine ([Panicked]) or is passed over ([Finished]), and the facts stay [b]; the honest
    moves [good] are done, and the facts become [a]. *)
Definition attack before bad good xs b e a : Prop := tries before [bad; good] xs (b, [(e, b); (Finished, a)]).
(** A scenario: all [moves] are done, and then the facts are [a]. *)
Definition scenario moves xs a : Prop := tries moves [] xs (a, []).

(** * Two VMs *)

(** VM [v] gets two vCPUs, bank [v] of SMMU 0 with frame 0x40008 + v for its devices, and an image in frame [pfn] for
    address 0x80000000. *)
Definition create (v : Z) : list move :=
  (hvc [HVC_REGISTER_KVM] ++ hvc [HVC_REGISTER_VCPU; v; 0] ++ hvc [HVC_REGISTER_VCPU; v; 1])%list.
Definition give_bank (v : Z) : list move :=
  (hvc [HVC_SMMU_ALLOC_PGD; v; v; 0] ++ hvc [HVC_SMMU_LPAE_MAP; 0x7000; (0x40008 + v) * 4096; 0xc0; v; 0])%list.
Definition load_image (v pfn : Z) : list move :=
  (hvc [HVC_SET_BOOT_INFO; v; 0x80000000; 4000] ++ hvc [HVC_REMAP_VM_IMAGE; v; pfn; 0])%list.
Definition verify (v : Z) : list move := hvc [HVC_VERIFY_VM_IMAGE; v].
Definition prepared (v : Z) : list move := (create v ++ give_bank v ++ load_image v (0x40000 + v))%list.
(** VM 1 has booted; it has, and VM 2 is prepared; both have booted. *)
Definition booted_1 : list move := (prepared 1 ++ verify 1)%list.
Definition half : list move := (booted_1 ++ prepared 2)%list.
Definition booted : list move := (half ++ verify 2)%list.

(** The host starts vCPU 0 of VM [v] at the beginning of the image; what it tells for a later exit: no exception, no
    page; or a frame for the page that the VM lacks. *)
Definition start_vm (v : Z) : list move := (("tell", [src_host_vcpu v 0; 0x80000000; 5]) :: run_vm v)%list.
Definition go_on_with (v a pfn : Z) : list move :=
  (("tell", [src_host_vcpu v 0; 0; a; pfn * 4096; 3]) :: run_vm v)%list.
Definition NONE : Z := INVALID64.
Definition FREE : Z := INVALID.
