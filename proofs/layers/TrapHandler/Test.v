(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 34, TrapHandler: examples by computation.  The specification and the code run by the interpreter agree with
    written values: a host and a VM take turns on one CPU, each with its own registers, its own memory and its
    devices; what either tries beyond that is refused or faults.  The stand-ins are those of layer 33. *)
From SeKVM.lib Require Import Calls PrimInv.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.TrapHandlerRaw Require Import Test.
From SeKVM.layers.TrapHandler Require Import Code Spec Safe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Definition mine : tbl mstate := U op pvops fault save run.
Definition below : tbl mstate := (mine ++ [("sets", sets)] ++ MmioSPTWalk.Spec.L)%list.
Lemma below_keeps : keeps mine below.
Proof. repeat constructor. Qed.
Definition by_spec : stepper mstate := call (over (TrapHandler.Spec.T op pvops fault save run) below).
Definition by_c : stepper mstate := by_code code below.

(** CPU 2 runs the host; vCPU 1 of VM 3 is ready, with a secret.  The word at 0x8000008 is 11, that at 0x9000008
    is 22. *)
Definition start : mstate :=
  set_mem (mkmem (list_to_map [(0x8000008, 11); (0x9000008, 22)]) [] [])
  (set_ins {[ src_host_run 3 := [1; 1] ]}
    (set_cpu (mkcpu 2 0 2 {[ ELR_EL2 := 0xAAAA; X1 := 3; X19 := 0xBBBB ]})
      (set_ctxts {[ 2 := mkcell ∅ false [] []; 25 := mkcell {[ PC := 0x81000; X0 := 5; X19 :=
      0x5ec2e7 ]} false [] [] ]}
        (init_all_maps (fun _ => []) [] (quiet 2))))).
(** The host has the page 0x8000000 at its own address; VM 3 has 0x9000000 at 0x5000, bank 1 of SMMU 0 too. *)
Definition mapped : list (ident * list Z) :=
  [("map_s2pt", [0; 0x8000000; 3; 0x80007ff]); ("map_s2pt", [3; 0x5000; 3; 0x90007ff]);
   ("acquire_lock_spt", []); ("set_smmu_pt", [1; 0; 0x5000; 0x90007ff]); ("release_lock_spt", [])].
Definition enters : list (ident * list Z) := [("sets", [0; 3]); ("host_vcpu_run_handler", [])].
Definition traps (reason esr : Z) : list (ident * list Z) :=
  [("sets", [44; reason]); ("sets", [72; esr]); ("vm_exit_handler", [])].

(** Observed: the answers of the last [n] calls, how it ended, who runs, registers, the two words, the ledger. *)
Definition obs (s : mstate) : (Z * Z) * list Z * list Z * list out_event :=
  ((cpu_vmid (st_cpu s), cpu_vcpuid (st_cpu s)), map (fun r => reg_get r (phys_regs s)) [X0; X4; X19; ELR_EL2;
  VTTBR_EL2],
   map (word (m_words (st_mem s))) [0x8000008; 0x9000008],
   List.filter (fun o => match o with Flow _ _ _ => true | _ => false end) (st_outs s)).
Definition agree (n : nat) (cs : list (ident * list Z))
    (v : list Z * ended * ((Z * Z) * list Z * list Z * list out_event)) : Prop :=
  let f step := let '(l, e, o) := observe step obs (mapped ++ cs) start in (skipn (List.length l - n) l, e, o) in
  f by_spec = v /\ f by_c = v.

(** The host loads and stores its own memory; it has nothing at the VM's addresses, nor the VM's memory at any. *)
Example host_memory : agree 4 [("mem_load", [0x8000008; 4]); ("mem_store", [0x8000008; 19]); ("mem_load", [0x5008;
  4]);
                               ("mem_load", [0x9000008; 4])]
  ([1; 1; 0; 0], Finished, ((0, 2), [0; 11; 0xBBBB; 0xAAAA; 0], [0xBBBB; 22], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** The VM its own, at its addresses. *)
Example vm_memory : agree 4 (enters ++ [("mem_load", [0x5008; 4]); ("mem_store", [0x5008; 19]);
  ("mem_load", [0x8000008; 0]);
                                        ("mem_store", [0x8000008; 19])])
  ([1; 1; 0; 0], Finished, ((3, 1), [5; 22; 0x5ec2e7; 0x81000; pt_vttbr 3], [11; 0x5ec2e7], [])).
Proof. split; vm_compute; reflexivity. Qed.
(** A device through the table of its bank. *)
Example device_memory : agree 4 [("dev_load", [0x5008; 4; 1; 0]); ("dev_store", [0x5008; 19; 1; 0]);
  ("dev_load", [0x5008; 4; 2; 0]);
                                 ("dev_store", [0x8000008; 19; 1; 0])]
  ([1; 1; 0; 0], Finished, ((0, 2), [0; 22; 0xBBBB; 0xAAAA; 0], [11; 0xBBBB], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** Back and forth: the host's registers are its own again, the VM's are where they were, and the host saw what an
    interrupt and a call show. *)
Example turns : agree 1 (enters ++ [("sets", [4; 99])] ++ traps 31 0) ([0], Finished,
  ((0, 2), [3; 0; 0xBBBB; 0xAAAA; pt_vttbr 0], [11; 22], [Flow 3 0 [1; 44; 31]])).
Proof. split; vm_compute; reflexivity. Qed.
Example turns_again : agree 1 (enters ++ [("sets", [4; 99])] ++ traps 31 0 ++ enters) ([0], Finished,
  ((3, 1), [5; 99; 0x5ec2e7; 0x81000; pt_vttbr 3], [11; 22], [Flow 3 0 [1; 44; 31]])).
Proof. split; vm_compute; reflexivity. Qed.
Example serves : agree 1 (enters ++ [("sets", [0; 11])] ++ traps 2 0x58000000) ([0], Finished,
  ((3, 1), [11; 0; 0x5ec2e7; 0x81000; pt_vttbr 3], [11; 22], [])).
Proof. split; vm_compute; reflexivity. Qed.
Example unknown_reason : agree 1 (enters ++ traps 77 0xffffffff) ([0], Finished,
  ((0, 2), [3; 0; 0xBBBB; 0xAAAA; pt_vttbr 0], [11; 22], [Flow 3 0 [1; 44; 77]])).
Proof. split; vm_compute; reflexivity. Qed.

(** The host calls, calls wrongly, and faults. *)
Example host_calls : agree 1 [("sets", [0; 24]); ("host_hvc_handler", [])] ([0], Finished,
  ((0, 2), [7; 0; 0xBBBB; 0xAAAA; 0], [11; 22], [Flow 0 0 []])).
Proof. split; vm_compute; reflexivity. Qed.
Example host_calls_wrongly : agree 1 [("sets", [0; 25]); ("sets", [1; 16]); ("host_hvc_handler", [])] ([0], Finished,
  ((0, 2), [REFUSED; 0; 0xBBBB; 0xAAAA; 0], [11; 22], [])).
Proof. split; vm_compute; reflexivity. Qed.
Example host_faults : agree 1 [("sets", [42; 0x80050]); ("host_npt_handler", [])] ([0], Finished,
  ((0, 2), [0; 0; 0xBBBB; 0xAAAA; 0], [11; 22], [Flow 0 0 [0x80050]])).
Proof. split; vm_compute; reflexivity. Qed.

(** A bank that there is not, a VM that there is not. *)
Example no_such_bank : agree 0 [("dev_load", [0; 4; 8; 0])] ([], Panicked, ((0, 2), [0; 0; 0xBBBB; 0xAAAA; 0], [11;
  22], [])).
Proof. split; vm_compute; reflexivity. Qed.
Example no_such_vm : agree 0 [("sets", [0; 16]); ("host_vcpu_run_handler", [])]
  ([], Panicked, ((0, 2), [16; 0; 0xBBBB; 0xAAAA; 0], [11; 22], [])).
Proof. split; vm_compute; reflexivity. Qed.

(** The interface has the eight functions and nothing of what they are made of. *)
Definition top : tbl mstate := TrapHandler.Spec.T op pvops fault save run.
Example whole_interface : forallb (fun f => negb (existsb (String.eqb f) (map fst top))) (map fst below) = true.
Proof. reflexivity. Qed.

(** * The premises of [Safe], and what they are for *)

Lemma stand_ins_silent : VCPUOps.Safe.silent (@off pmap pmap (gmap Z s2page)) /\
  VCPUOps.Safe.silent (@hold pmap pmap (gmap Z s2page) false).
Proof.
  split; intros vs s r H.
  - apply p1_inv in H as (v & _ & _ & H). cbn in H. now injection H as <-.
  - apply p2_inv in H as (v & c & _ & _ & _ & H). destruct (st_ctxts s !! _) as [x|]; [|now injection H as <-].
    destruct (Bool.eqb _ _); cbn in H; now injection H as <-.
Qed.
Lemma stand_in_calls : says_nothing (@pvops pmap pmap (gmap Z s2page)) /\
  leaves_alone (@pvops pmap pmap (gmap Z s2page)).
Proof.
  split; intros s z s' H; unfold pvops in H; apply p0_inv in H as (_ & H);
    destruct (cur_ctxt s) as [m|] in H; try discriminate H; destruct (_ =? 11) in H; cbn in H; injection H as <- <-;
      congruence.
Qed.

(** The state in which VM 3 has trapped: [exit_shows] speaks of it. *)
Definition trapped_at (reason esr : Z) (pv : prim mstate) : option (list out_event * list out_event) :=
  match run_calls (call (over (TrapHandler.Spec.T op pv fault save run) below))
          (enters ++ [("sets", [44; reason]); ("sets", [72; esr])]) start with
  | Some (Ok _ s) =>
      match vm_exit_handler_spec pv save [] s with
      | Some (Ok _ s') =>
          Some (flows s', show 3 1 (phys_regs s) (exit_shown (exit_of (phys_regs s))) (flows s))
      | _ => None
      end
  | _ => None
  end.
Example shows_the_list : trapped_at 2 0x92000007 pvops = Some ([Flow 3 0 [1; 41; 0]; Flow 3 0 [1; 42; 0];
  Flow 3 0 [1; 72; 0x92000007];
  Flow 3 0 [1; 44; 2]], [Flow 3 0 [1; 41; 0]; Flow 3 0 [1; 42; 0]; Flow 3 0 [1; 72; 0x92000007]; Flow 3 0 [1; 44;
    2]]).
Proof. vm_compute. reflexivity. Qed.
(** An operation for the VM's calls that tells the host a register shows more than the list. *)
Definition chatty : prim mstate :=
  p0 (Some U32) (fun s => ret 0 (set_outs (Flow 3 0 [reg_word X19 (phys_regs s)] :: st_outs s) s)).
Example chatty_shows_more : trapped_at 2 0x58000000 chatty =
  Some ([Flow 3 0 [0x5ec2e7]], [Flow 3 0 [1; 0; 5]; Flow 3 0 [1; 72; 0x58000000]; Flow 3 0 [1; 44; 2]]).
Proof. vm_compute. reflexivity. Qed.
