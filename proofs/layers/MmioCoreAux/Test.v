(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 23, MmioCoreAux: examples by computation.  The specification and the code run by
    the interpreter agree with written values, at every limit of the policies. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioCoreAux Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** CPU 2 runs the host; X[k] holds the [k]-th of these words.  Bank 0 of SMMU 0 is VM 3's,
    bank 1 the host's, the others are free; the owners are locked.  Devices answer twice. *)
Definition words : list Z := [0x200400; 0x200401; 0x400; 0x200000; 3; 0x20003; 4; 0; 0xff; 0xff000003; 0x112345678].
Definition start : state :=
  set_ins {[ src_mmio := [0xaabbccdd11223344; 0x55] ]}
    (set_smmu (acquire_cell (free_cell {[ 0 := 3; 1 := 0 ]} []))
      (set_ctxts {[ 2 := free_cell (list_to_map (zip [X0; X1; X2; X3; X4; X5; X6; X7; X8; X9; X10] words)) [] ]}
        (init (quiet 2)))).

Definition by_spec : stepper state := call (over T U).
Definition by_c : stepper state := by_code code U.
Definition agree {A} (obs : state -> A) (cs : list (ident * list Z)) (v : list Z * ended * A) : Prop :=
  observe by_spec obs cs start = v /\ observe by_c obs cs start = v.

(** The syndrome of a store of register [rd]; verdicts on 4 bytes at [off] of SMMU 0. *)
Definition store (rd : Z) : Z := 65536 * rd + 64.
Definition global (off len : Z) (rds : list Z) : list (ident * list Z) :=
  map (fun rd => ("handle_smmu_global_access", [store rd; off; len; 0])) rds.
Definition verdicts (cs : list (ident * list Z)) (l : list Z) : Prop := agree (fun _ => tt) cs (l, Finished, tt).

(** sCR0: translation and faults stay on.  sCR2: VMIDs stay on.  Eight bytes that cover
    either are refused. *)
Example configuration :
  verdicts (global 0 4 [0; 1; 2; 3; 7] ++ global 8 4 [7; 4; 8] ++ global 0 8 [0] ++ global 8 8 [7])%list
    [PASS; REFUSE; REFUSE; REFUSE; REFUSE; PASS; REFUSE; REFUSE; REFUSE; REFUSE].
Proof. split; vm_compute; reflexivity. Qed.

(** Other registers below the aliases are open, at any size; from there to the attributes of
    banks all is refused: aliases, and the table of streams. *)
Example open_and_closed :
  verdicts (global 4 4 [1] ++ global 16 8 [1] ++ global 0x3fc 4 [1] ++
            global 0x400 4 [0] ++ global 0x800 4 [0] ++ global 0xc00 4 [0] ++ global 0xffc 4 [0])%list
    [PASS; PASS; PASS; REFUSE; REFUSE; REFUSE; REFUSE].
Proof. split; vm_compute; reflexivity. Qed.

(** The attributes of VM 3's bank, at the very start of their range: its VMID and stage 2,
    with any other bits; not another VMID or type, not eight bytes.  The host's bank takes
    the host's VMID only.  A free bank and places after the last bank are refused. *)
Example attributes :
  verdicts (global 0x1000 4 [4; 9; 5; 6; 7] ++ global 0x1000 8 [4] ++ global 0x1004 4 [7; 4] ++
            global 0x1008 4 [7; 8; 4] ++ global 0x101c 4 [7] ++ global 0x1020 4 [4] ++ global 0x17fc 4 [4] ++
            global 0x1800 4 [7] ++ global 0x7ffc 4 [7])%list
    [PASS; PASS; REFUSE; REFUSE; REFUSE; REFUSE; PASS; REFUSE; REFUSE; REFUSE; REFUSE; REFUSE; REFUSE; REFUSE;
     REFUSE; REFUSE].
Proof. split; vm_compute; reflexivity. Qed.

(** A bank's page: what KCore replaces, what it refuses, what the host may do. *)
Definition bank (l : list (Z * Z)) : list (ident * list Z) := map (fun p => ("handle_smmu_cb_access", [fst p; snd p])) l.
Example bank_page :
  verdicts (bank [(0x8020, 4); (0x8020, 8); (0x8024, 4); (0xf020, 8); (0x8000, 4); (0x8030, 4); (0x8000, 8); (0x8030, 8);
                  (0x8034, 4); (0x8028, 8); (0x8038, 4); (0xfffc, 4)])
    [REPLACE; REPLACE; REPLACE; REPLACE; REPLACE; REPLACE; REFUSE; REFUSE; REFUSE; PASS; PASS; PASS].
Proof. split; vm_compute; reflexivity. Qed.

(** Stores: the host's register, whole or cut to four bytes, or KCore's value. *)
Example stores :
  agree st_outs
    [("__handle_smmu_write", [store 10; 0x10000010; 8; 0; 0]); ("__handle_smmu_write", [store 10; 0x10000014; 4; 0; 0]);
     ("__handle_smmu_write", [store 10; 0x10008020; 8; 0x99; 1])]
    ([0; 0; 0], Finished,
     [Mmio_write 0x10008020 8 0x99; Mmio_write 0x10000014 4 0x12345678; Mmio_write 0x10000010 8 0x112345678]).
Proof. split; vm_compute; reflexivity. Qed.

(** Loads: into the register that is named, cut to four bytes; into nothing for register
    31; zero when the devices have no more to say. *)
Definition X5_X6 (s : state) : option (Z * Z) :=
  match host_ctxt s with Some m => Some (host_word 5 m, host_word 6 m) | None => None end.
Example loads :
  agree X5_X6
    [("__handle_smmu_read", [5 * 65536; 0x10000048; 4]); ("__handle_smmu_read", [31 * 65536; 0x10000048; 8]);
     ("__handle_smmu_read", [6 * 65536; 0x10000048; 8])]
    ([0; 0; 0], Finished, Some (0x11223344, 0)).
Proof. split; vm_compute; reflexivity. Qed.

(** Other sizes are a panic, for loads and stores. *)
Example sizes :
  Forall (fun c => agree st_outs [c] ([], Panicked, []))
    [("__handle_smmu_write", [store 0; 0x10000010; 2; 0; 0]); ("__handle_smmu_write", [store 0; 0x10000010; 0; 0; 1]);
     ("__handle_smmu_read", [0; 0x10000010; 1])].
Proof. repeat constructor; vm_compute; reflexivity. Qed.
