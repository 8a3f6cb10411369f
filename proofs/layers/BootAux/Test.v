(* SPDX-License-Identifier: Apache-2.0 *)
(** Layer 20, BootAux: examples by computation.  The specification and the code run by
    the interpreter agree with written values: an image whose pages lie in scattered
    frames, images that are refused, and another CPU that changes KCore's window in the
    middle, which shows why the window has to stay. *)
From SeKVM.lib Require Import Calls.
From SeKVM.machine Require Import Init.
From SeKVM.layers.MmioSPTWalk Require Import Refine.
From SeKVM.layers.BootAux Require Import Code Interface Safe.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Frames 0x40000 to 0x4000f are the host's but for one of KCore and one of VM 2. *)
Definition frames : gmap Z page :=
  <[0x40008 := Core]> (<[0x40009 := Vm 2 (Shared 0) (Some 5)]> (list_to_map (map (fun p => (p, Host 0)) (seqZ 0x40000 16)))).
Definition start_with (window : list (list (Z * pmap))) : hstate :=
  set_s2 (free_cell frames [])
    (init_all_maps (fun vm => if vm =? COREVISOR then window else []) [] (quiet 0)).
Definition start : hstate := start_with [].

Definition by_spec : stepper hstate := call BootAux.Interface.L.
Definition by_c : stepper hstate := by_code code BootCore.Interface.L.

(** Observed: the frames of [ps]. *)
Definition obs (ps : list Z) (s : hstate) : list (option page) := map (fun p => c_val (st_s2 s) !! p) ps.
Definition agree (s : hstate) (cs : list (ident * list Z)) (ps : list Z) (v : list Z * ended * list (option page)) : Prop :=
  observe by_spec (obs ps) cs s = v /\ observe by_c (obs ps) cs s = v.

(** KCore maps frame [pfn] in slot [i] of the window at 0x2000000. *)
Definition remapped (i pfn : Z) : ident * list Z := ("map_s2pt", [16; 0x2000000 + i * 4096; 3; pfn * 4096 + 0x753]).
Definition load (n : Z) : ident * list Z := ("unmap_and_load_vm_image", [3; 0x80000; 0x2000000; n]).
Definition two : list (ident * list Z) := [remapped 0 0x40003; remapped 1 0x40001].

(** Two pages: exactly their frames, each at its page; not the frames around. *)
Example image :
  agree start (two ++ [load 2; ("walk_s2pt", [3; 0x80000]); ("walk_s2pt", [3; 0x81000]); ("walk_s2pt", [3; 0x82000])])
    [0x40000; 0x40001; 0x40002; 0x40003; 0x40004]
    ([0; 0; 0; 0x40003fff; 0x40001fff; 0], Finished,
     [Some (Host 0); Some (Vm 3 (Shared 0) (Some 0x81)); Some (Host 0); Some (Vm 3 (Shared 0) (Some 0x80)); Some (Host 0)]).
Proof. split; vm_compute; reflexivity. Qed.

Example nothing_to_load : agree start [load 0] [0x40001] ([0], Finished, [Some (Host 0)]).
Proof. split; vm_compute; reflexivity. Qed.

(** Refused: a slot that was never filled; one frame for two pages; a frame of KCore or of
    another VM, and one that is not memory; a page that is mapped already. *)
Definition stops (cs : list (ident * list Z)) (n : nat) (o : option page) : Prop :=
  agree start cs [0x40001] (repeat 0 n, Panicked, [o]).
Example empty_slot : stops [remapped 0 0x40003; load 2] 1 (Some (Host 0)).
Proof. split; vm_compute; reflexivity. Qed.
Example one_frame_twice : stops [remapped 0 0x40001; remapped 1 0x40001; load 2] 2 (Some (Vm 3 (Shared 0) (Some 0x80))).
Proof. split; vm_compute; reflexivity. Qed.
Example foreign_frames : Forall (fun pfn => stops [remapped 0 pfn; load 1] 1 (Some (Host 0))) [0x40008; 0x40009; 0x9000].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.
Example overlap :
  stops [remapped 0 0x40003; load 1; remapped 1 0x40001; ("unmap_and_load_vm_image", [3; 0x80000; 0x2001000; 1])]
    3 (Some (Host 0)).
Proof. split; vm_compute; reflexivity. Qed.

(** Refused at once: addresses that are none of pages, images that leave the address space,
    also by wrapping around, and what is no VM. *)
Example bad_arguments :
  Forall (fun vs => stops (two ++ [("unmap_and_load_vm_image", vs)]) 2 (Some (Host 0)))
    [[3; 0x80001; 0x2000000; 2]; [3; 0x80000; 0x2000800; 2]; [3; 0xffffffffff000; 0x2000000; 2];
     [3; 0x80000; 0x2000000; 0xfffffffff];
     [3; 0x80000; 0x2000000; 0xffffffffffffffff]; [3; 0x80000; 0xfffffffffffff000; 2]; [0; 0x80000; 0x2000000; 2];
     [16; 0x80000; 0x2000000; 2]; [17; 0x80000; 0x2000000; 2]].
Proof. repeat (apply List.Forall_cons; [split; vm_compute; reflexivity|]). apply List.Forall_nil. Qed.

(** Between the two pages CPU 1 puts another frame into slot 0.  The VM runs frame 0x40003,
    while the window, through which the image is verified, shows 0x40005, a frame of the
    host.  So the window must stay until the image is verified. *)
Definition put_slot (i pfn : Z) (p : pmap) : pmap :=
  match pset (npt_geom 16) 3 (0x2000 + i) (pfn * 4096 + 0x753) p with Updated q => q | _ => p end.
Definition filled : pmap := put_slot 1 0x40001 (put_slot 0 0x40003 (pempty (npt_geom 16))).
Example window_moved :
  agree (start_with [[]; []; []; [(1, put_slot 0 0x40005 filled)]])
    (two ++ [load 2; ("walk_s2pt", [16; 0x2000000]); ("walk_s2pt", [3; 0x80000])]) [0x40003; 0x40005]
    ([0; 0; 0; 0x40005753; 0x40003fff], Finished, [Some (Vm 3 (Shared 0) (Some 0x80)); Some (Host 0)]).
Proof. split; vm_compute; reflexivity. Qed.
Example window_not_kept : ~ same_entries 0x2000 2 filled (put_slot 0 0x40005 filled).
Proof. intros K. specialize (K 0 ltac:(lia)). vm_compute in K. discriminate K. Qed.

(** A VM gets no frame without its mapping above this layer. *)
Example assignment_hidden : call BootAux.Interface.L "assign_pfn_to_vm" [3; 7; 0x40001] start = None.
Proof. reflexivity. Qed.
